import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  EventParser,
  openEventStream,
  readEvents,
  type ServerEvent,
  type StreamState,
} from './event-stream'

const bytes = (text: string) => new TextEncoder().encode(text)

function body(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(typeof chunk === 'string' ? bytes(chunk) : chunk)
      }
      controller.close()
    },
  })
}

describe('EventParser', () => {
  it('gives id, type and data, and joins data lines', () => {
    const parser = new EventParser()
    expect(parser.push('id: 1-20\nevent: line\ndata: {"a":1}\ndata: two\n\n')).toEqual([
      { id: '1-20', type: 'line', data: '{"a":1}\ntwo' },
    ])
  })

  it('waits for the rest of a piece, wherever it is cut', () => {
    const text = 'id: 7\r\nevent: line\r\ndata: héllo\r\n\r\n'
    for (let cut = 1; cut < text.length; cut++) {
      const parser = new EventParser()
      const events = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]
      expect(events).toEqual([{ id: '7', type: 'line', data: 'héllo' }])
    }
  })

  it('passes over pings, keeps the last id and reads retry', () => {
    const parser = new EventParser()
    expect(parser.push(': ping\n\nretry: 2000\nid: 3\ndata: a\n\n: ping\n\ndata: b\n\n')).toEqual([
      { id: '3', type: 'message', data: 'a' },
      { id: '3', type: 'message', data: 'b' },
    ])
    expect(parser.retryMs).toBe(2000)
  })
})

it('readEvents joins characters that were cut between chunks', async () => {
  const whole = bytes('data: 训练\n\n')
  const events: ServerEvent[] = []
  for await (const batch of readEvents(body(whole.slice(0, 8), whole.slice(8)))) {
    events.push(...batch)
  }
  expect(events.map((event) => event.data)).toEqual(['训练'])
})

describe('openEventStream', () => {
  const answers: (() => Promise<Response>)[] = []
  const asked: { url: string; lastEventId: string | null }[] = []
  let close = () => {}

  function listen(after?: string) {
    const events: ServerEvent[] = []
    const states: StreamState[] = []
    const errors: unknown[] = []
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      if (url === '/healthz') return new Promise(() => {})
      asked.push({ url, lastEventId: new Headers(init.headers).get('Last-Event-ID') })
      const next = answers.shift()
      return next ? next() : new Promise(() => {})
    })
    close = openEventStream({
      url: '/stream?attempt=1',
      after,
      onEvents: (batch) => events.push(...batch),
      onState: (state) => states.push(state),
      onError: (error) => errors.push(error),
    })
    return { events, states, errors }
  }

  const answer = (...chunks: string[]) => async () => new Response(body(...chunks))
  const refuse = (status: number) => async () =>
    Object.defineProperty(new Response('{}', { status }), 'url', { value: 'http://x/stream' })

  afterEach(() => {
    close()
    vi.useRealTimers()
    answers.length = 0
    asked.length = 0
  })

  it('resumes after the last id when the connection is lost', async () => {
    vi.useFakeTimers()
    answers.push(answer('id: 1-10\ndata: a\n\nid: 1-25\ndata: b\n\n'))
    answers.push(answer('id: 1-40\ndata: c\n\n', 'event: bye\ndata: {}\n\n'))
    const { events, states } = listen()
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked.map(({ url }) => url)).toEqual([
      '/stream?attempt=1',
      '/stream?attempt=1&after=1-25',
    ])
    expect(asked[1]?.lastEventId).toBe('1-25')
    expect(events.map((event) => event.data)).toEqual(['a', 'b', 'c', '{}'])
    expect(states).toEqual(['connecting', 'live', 'reconnecting', 'live', 'closed'])
  })

  it('begins after the id it is given', async () => {
    vi.useFakeTimers()
    answers.push(answer('event: bye\ndata: {}\n\n'))
    listen('2-99')
    await vi.advanceTimersByTimeAsync(10)
    expect(asked).toEqual([{ url: '/stream?attempt=1&after=2-99', lastEventId: '2-99' }])
  })

  it('comes back after a goodbye that announces a restart', async () => {
    vi.useFakeTimers()
    answers.push(answer('event: bye\ndata: {"reason":"shutdown"}\n\n'))
    answers.push(answer('event: bye\ndata: {"reason":"finished"}\n\n'))
    const { states } = listen()
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked).toHaveLength(2)
    expect(states.at(-1)).toBe('closed')
  })

  it('waits longer after each failure and gives up on a refusal', async () => {
    vi.useFakeTimers()
    vi.spyOn(Math, 'random').mockReturnValue(0)
    answers.push(async () => Promise.reject(new TypeError('Failed to fetch')))
    answers.push(refuse(503))
    answers.push(refuse(404))
    const { states, errors } = listen()
    await vi.advanceTimersByTimeAsync(249)
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2) // the half of 500 ms has passed
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(490)
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(20) // the half of 1000 ms has passed
    expect(asked).toHaveLength(3)
    expect(errors).toMatchObject([{ name: 'ApiError', status: 404 }])
    expect(states.at(-1)).toBe('closed')
  })

  it('stops for good when it is closed', async () => {
    vi.useFakeTimers()
    answers.push(answer('data: a\n\n'))
    const { states } = listen()
    await vi.advanceTimersByTimeAsync(10)
    close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveLength(1)
    expect(states).not.toContain('closed')
  })
})
