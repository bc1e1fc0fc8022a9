import { describe, expect, it } from 'vitest'
import {
  ApiError,
  errorOf,
  errorSentence,
  fieldErrorSentence,
  isServerAway,
  isTemporary,
  NetworkError,
  originalWords,
  pointerPath,
  translateCode,
  translateHint,
} from './errors'
import { changeLanguage, texts } from '@/i18n/language'

const t = texts.t

function problem(status: number, body: unknown): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status })
}

describe('errorOf', () => {
  it('reads a problem', async () => {
    const error = await errorOf(
      problem(409, {
        title: 'T',
        detail: 'D',
        code: 'DatasetInUse',
        params: { count: 2 },
        errors: [{ pointer: '/name', code: 'missing', message: 'needed', params: {} }],
        request_id: 'r-1',
      }),
    )
    expect(error).toMatchObject({
      status: 409,
      code: 'DatasetInUse',
      params: { count: 2 },
      requestId: 'r-1',
    })
    expect(error.errors[0]?.pointer).toBe('/name')
  })

  it('takes the status of the answer, not of the body', async () => {
    expect((await errorOf(problem(502, { status: 200 }))).status).toBe(502)
  })

  it('survives a body that is not JSON', async () => {
    const error = await errorOf(problem(502, '<html>Bad gateway</html>'))
    expect(error).toMatchObject({ status: 502, code: 'HttpError', detail: '' })
  })
})

describe('errorSentence', () => {
  it('keeps the words of the server while English is shown', () => {
    const error = new ApiError({ status: 403, code: 'Forbidden', detail: 'Viewers only look.' })
    expect(errorSentence(t, error)).toBe('Viewers only look.')
    expect(originalWords(error.detail)).toBeNull()
  })

  it('has words of its own when the server sends none', () => {
    expect(errorSentence(t, new ApiError({ status: 403, code: 'Forbidden' }))).toBe(
      'Your role does not allow this.',
    )
  })

  it('translates by code with its values', async () => {
    await changeLanguage('zh-CN')
    const params = { seconds: 30 }
    const error = new ApiError({ status: 429, code: 'TooManySignIns', detail: 'Wait.', params })
    expect(errorSentence(t, error)).toBe('登录失败次数过多，请等待 30 秒后再试。')
    expect(translateHint(t, { code: 'empty_file', hint: 'Take another.' })).toBe(
      '请上传包含数据行的文件。',
    )
    expect(errorSentence(t, new ApiError({ status: 400, code: 'New', detail: 'Not yet.' }))).toBe(
      'Not yet.',
    )
    expect(originalWords('Wait.')).toBe('Wait.')
    await changeLanguage('en')
  })

  it('says what was at work on data, and how it is begun again', async () => {
    await changeLanguage('zh-CN')
    const params = { work: 'preparation', signal: 'SIGKILL' }
    const error = { code: 'data_work_crashed', message: 'Ended.', hint: 'Again.', params }
    expect(translateCode(t, error)).toBe('数据准备意外中断。')
    expect(translateHint(t, error)).toMatch(/^请重新准备数据集。如果再次中断/)
    await changeLanguage('en')
  })

  it('says in the language of the user why', async () => {
    const refused = (params: Record<string, string | number>) =>
      new ApiError({
        status: 400,
        code: 'CanNotBeExpressed',
        detail: 'In English.',
        params: { format: 'alpaca', count: 2, reason_count: 2, rows: '2, 4', reason: 'told', ...params },
      })
    const known = refused({ reason_code: 'field_of_turn', field: 'name' })
    expect(errorSentence(t, known)).toContain('“name” of a turn has no place here, for example rows 2, 4')
    expect(errorSentence(t, refused({ reason_code: 'new_one' }))).toContain('told')
    await changeLanguage('zh-CN')
    expect(errorSentence(t, known)).toContain('该格式没有位置存放轮次中的“name”（第 2, 4 行等）')
    const tried = new ApiError({
      status: 400,
      code: 'CanNotBePrepared',
      detail: 'In English.',
      params: { reason: 'In English.', reason_code: 'empty_part', split: 'test', num_rows: 3 },
    })
    expect(errorSentence(t, tried)).toBe(
      '这些步骤无法用于这些数据行：“test”部分会没有数据行：一共只有 3 行可分。 请调大这一部分的比例，或使用更多数据行。',
    )
    await changeLanguage('en')
  })

  it('falls back to the detail of the server, then to its title, then to the status', () => {
    const known = { status: 418, code: 'SomethingNew' }
    expect(errorSentence(t, new ApiError({ ...known, detail: 'Too hot.', title: 'No' }))).toBe(
      'Too hot.',
    )
    expect(errorSentence(t, new ApiError({ ...known, title: 'No' }))).toBe('No')
    expect(errorSentence(t, new ApiError({ status: 418 }))).toBe('The server answered with status 418.')
  })

  it('names the one wrong field of a request', () => {
    const wrong = { pointer: '/epochs', code: 'less_than_equal', message: 'm', params: { le: 100 } }
    const error = new ApiError({ status: 422, code: 'InvalidRequest', errors: [wrong] })
    expect(errorSentence(t, error)).toBe('Must be at most 100.')
  })

  it('says that nobody answered', () => {
    expect(errorSentence(t, new NetworkError())).toContain('does not answer')
    expect(errorSentence(t, new Error('bug'))).toContain('unexpected')
  })
})

it('shows the message of an unknown field code', () => {
  const error = { pointer: '/x', code: 'very_special', message: 'Not on Mondays.', params: {} }
  expect(fieldErrorSentence(t, error)).toBe('Not on Mondays.')
})

it('turns a JSON pointer into a form path', () => {
  expect(pointerPath('/messages/0/content')).toEqual(['messages', 0, 'content'])
  expect(pointerPath('/a~1b/c~0d')).toEqual(['a/b', 'c~d'])
  expect(pointerPath('')).toEqual([])
})

it('knows when the platform is away, and when only one call failed', () => {
  const ours = { status: 503, request_id: 'r-1' }
  expect(isServerAway(new ApiError({ ...ours, code: 'HubUnreachable' }))).toBe(false)
  expect(isServerAway(new ApiError({ ...ours, code: 'DatabaseUnavailable' }))).toBe(true)
  expect(isServerAway(new ApiError({ status: 502 }))).toBe(true)
  expect(isServerAway(new ApiError({ status: 500 }))).toBe(false)
  expect(isServerAway(new NetworkError())).toBe(true)
})

it('knows what may pass by itself', () => {
  expect(isTemporary(new NetworkError())).toBe(true)
  expect(isTemporary(new ApiError({ status: 503 }))).toBe(true)
  expect(isTemporary(new ApiError({ status: 500 }))).toBe(false)
  expect(isTemporary(new ApiError({ status: 404 }))).toBe(false)
})

it('says one row and two rows in English, whatever the server said', () => {
  const blocked = (dropped: number) =>
    translateCode(t, {
      code: 'too_many_dropped_rows',
      message: `${dropped} rows can not be used; 0 may be left out.`,
      params: { dropped, max_dropped_rows: 0 },
    })
  expect(blocked(1)).toContain('1 row can')
  expect(blocked(2000)).toContain('2,000 rows can')
})

it('never shows a state by its code', () => {
  const busy = new ApiError({
    status: 409,
    code: 'TaskIsLive',
    detail: 'This task is PREPARING; stop it before you delete it.',
    params: { status: 'PREPARING' },
  })
  expect(errorSentence(t, busy)).not.toMatch(/[A-Z]{3,}/)
})
