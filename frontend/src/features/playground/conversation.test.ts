import { describe, expect, it } from 'vitest'
import type { Target } from './api'
import { messagesFor, messagesOf, parametersOf, defaultSettings, reduce, type Change, type Turn } from './conversation'

const run = (...changes: Change[]): Turn[] => changes.reduce(reduce, [] as Turn[])
const done = {
  finish_reason: 'stop' as const,
  prompt_tokens: 5,
  completion_tokens: 2,
  tokens_per_s: 20,
  time_to_first_token_s: 0.1,
}

describe('reduce', () => {
  it('gathers the pieces of each column by itself', () => {
    const [turn] = run(
      { type: 'ask', text: 'Hi', columns: [0, 1] },
      { type: 'text', column: 1, text: 'He' },
      { type: 'text', column: 0, text: 'Good' },
      { type: 'text', column: 1, text: 'llo' },
      { type: 'done', column: 1, done },
    )
    expect(turn?.answers.map((answer) => [answer?.text, answer?.state])).toEqual([
      ['Good', 'streaming'],
      ['Hello', 'done'],
    ])
  })

  it('takes nothing more after an answer was stopped', () => {
    const [turn] = run(
      { type: 'ask', text: 'Hi', columns: [0] },
      { type: 'text', column: 0, text: 'He' },
      { type: 'stopped', column: 0 },
      { type: 'text', column: 0, text: 'llo' },
    )
    expect(turn?.answers[0]).toMatchObject({ text: 'He', state: 'stopped' })
    expect(turn?.answers[1]).toBeNull()
  })

  it('keeps what was said when a column fails, and says why', () => {
    const [turn] = run(
      { type: 'ask', text: 'Hi', columns: [0] },
      { type: 'text', column: 0, text: 'He' },
      { type: 'failed', column: 0, message: 'Gone.', hint: 'Again.' },
    )
    expect(turn?.answers[0]).toMatchObject({ text: 'He', state: 'failed', error: { hint: 'Again.' } })
  })

  it('asks the last question again', () => {
    const [turn] = run(
      { type: 'ask', text: 'Hi', columns: [0, 1] },
      { type: 'text', column: 0, text: 'x' },
      { type: 'done', column: 0, done },
      { type: 'again' },
    )
    expect(turn?.answers.map((answer) => answer?.text)).toEqual(['', ''])
  })
})

describe('messagesOf', () => {
  const turns = run(
    { type: 'ask', text: 'One', columns: [0, 1] },
    { type: 'text', column: 0, text: 'first' },
    { type: 'ask', text: 'Two', columns: [0, 1] },
  )

  it('gives each column its own history', () => {
    expect(messagesOf(turns, 0, ' Be kind. ')).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'first' },
      { role: 'user', content: 'Two' },
    ])
  })

  it('gives a model that turns texts into others the last text alone', () => {
    const translator = { purpose: 'seq2seq' } as Target
    expect(messagesFor(translator, turns, 0, 'Be kind.')).toEqual([{ role: 'user', content: 'Two' }])
    const talker = { purpose: 'chat' } as Target
    expect(messagesFor(talker, turns, 0, 'Be kind.')).toEqual(messagesOf(turns, 0, 'Be kind.'))
  })

  it('leaves out turns that the column did not answer', () => {
    expect(messagesOf(turns, 1, '')).toEqual([{ role: 'user', content: 'Two' }])
  })
})

it('takes the last question back', () => {
  const one = reduce([], { type: 'ask', text: 'first', columns: [0] })
  const two = reduce(one, { type: 'ask', text: 'second', columns: [0] })
  expect(reduce(two, { type: 'withdraw' })).toEqual(one)
  expect(reduce([], { type: 'withdraw' })).toEqual([])
})

it('sends a seed only when one is set', () => {
  expect(parametersOf(defaultSettings)).not.toHaveProperty('seed')
  expect(parametersOf({ ...defaultSettings, seed: 0 })).toMatchObject({ seed: 0 })
})
