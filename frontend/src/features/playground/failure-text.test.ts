/** A failure of the engine is told to whoever asks a model, not to whoever trains one. */
import { afterEach, expect, it } from 'vitest'
import { failureText } from './failure-text'
import { changeLanguage, texts } from '@/i18n/language'

const t = texts.t.bind(texts) as typeof texts.t
const error = (code: string) => ({ code, message: 'In detail.', hint: 'Clone it with changes.' })

afterEach(() => changeLanguage('en'))

it.each(['bad_spec', 'out_of_memory', 'model_not_found'])('says what is wrong and what to do: %s', (code) => {
  const { message, hint } = failureText(t, error(code))
  expect(message).toBe('In detail.')
  expect(hint).toBe(t(`playground.failures.${code}.hint` as 'playground.failures.shutdown.hint'))
})

it('marks what is not translated', async () => {
  await changeLanguage('zh-CN')
  const { message, hint } = failureText(t, error('prompt_too_long'))
  expect(message).toBe('对话超过了模型能读取的长度。')
  expect(hint).toContain('服务器原文：In detail.')
})

it('keeps the words of a code that is not known', () => {
  expect(failureText(t, error('something_new'))).toEqual({
    message: 'In detail.',
    hint: 'Clone it with changes.',
  })
})
