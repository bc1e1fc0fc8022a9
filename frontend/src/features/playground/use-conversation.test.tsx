/** Both columns are asked at once and stream on their own; stopping and broken streams are told. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, renderHook, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { beforeEach, expect, it, vi } from 'vitest'
import type { Target } from './api'
import { defaultSettings } from './conversation'
import { useConversation } from './use-conversation'

interface Call {
  body: { model_id?: string; task_id?: string; messages: unknown[] }
  headers: Record<string, string>
  signal: AbortSignal
  send: (text: string) => void
  end: () => void
}

let calls: Call[]

/** A server that answers what the test sends, when the test sends it. */
function serve(_address: unknown, init: RequestInit = {}): Promise<Response> {
  let send: ReadableStreamDefaultController<Uint8Array>
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) })
  const signal = init.signal as AbortSignal
  signal.addEventListener('abort', () => send.error(new DOMException('stopped', 'AbortError')))
  calls.push({
    body: JSON.parse(String(init.body)) as Call['body'],
    headers: init.headers as Record<string, string>,
    signal,
    send: (text) => send.enqueue(new TextEncoder().encode(text)),
    end: () => send.close(),
  })
  return Promise.resolve(new Response(stream, { headers: { 'Content-Type': 'text/event-stream' } }))
}

const token = (text: string) => `event: token\ndata: ${JSON.stringify({ text })}\n\n`
const done = `event: done\ndata: ${JSON.stringify({
  finish_reason: 'stop',
  prompt_tokens: 3,
  completion_tokens: 2,
  tokens_per_s: 9,
  time_to_first_token_s: 0.2,
})}\n\n`

const tuned = { kind: 'tuned', id: 't1', name: 'Tuned' } as Target
const base = { kind: 'base', id: 'b1', name: 'Base' } as Target

function setUp() {
  const client = new QueryClient()
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  )
  return renderHook(() => useConversation([], [tuned, base], defaultSettings, 'Be kind.'), {
    wrapper,
  }).result
}

const call = (n: number) => calls[n] as Call

beforeEach(() => {
  calls = []
  vi.stubGlobal('fetch', serve)
})

it('asks both models the same, each by its own id, and tells that the page is ours', async () => {
  const talk = setUp()
  act(() => talk.current.ask('Hello'))
  await waitFor(() => expect(calls).toHaveLength(2))
  expect(call(0).body).toMatchObject({ task_id: 't1', temperature: 0 })
  expect(call(1).body).toMatchObject({ model_id: 'b1' })
  expect(call(1).body).not.toHaveProperty('task_id')
  expect(call(0).headers).toMatchObject({ 'X-EasyTune': '1' })
  expect(call(0).body.messages).toEqual([
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Hello' },
  ])
})

it('gathers pieces that the network cut anywhere, column by column', async () => {
  const talk = setUp()
  act(() => talk.current.ask('Hello'))
  await waitFor(() => expect(calls).toHaveLength(2))
  const whole = token('Guten ') + token('Tag 客服') + done
  call(0).send(whole.slice(0, 30))
  call(1).send(token('Hi'))
  call(0).send(whole.slice(30))
  call(0).end()
  await waitFor(() => expect(talk.current.turns[0]?.answers[0]?.state).toBe('done'))
  expect(talk.current.turns[0]?.answers[0]).toMatchObject({
    text: 'Guten Tag 客服',
    done: { tokens_per_s: 9 },
  })
  expect(talk.current.turns[0]?.answers[1]).toMatchObject({ text: 'Hi', state: 'streaming' })
  expect(talk.current.busy).toBe(true)
})

it('stops both, keeps what was said, and tells each server', async () => {
  const talk = setUp()
  act(() => talk.current.ask('Hello'))
  await waitFor(() => expect(calls).toHaveLength(2))
  call(0).send(token('Half'))
  await waitFor(() => expect(talk.current.turns[0]?.answers[0]?.text).toBe('Half'))
  act(() => talk.current.stop())
  await waitFor(() => expect(talk.current.busy).toBe(false))
  expect(talk.current.turns[0]?.answers.map((each) => [each?.text, each?.state])).toEqual([
    ['Half', 'stopped'],
    ['', 'stopped'],
  ])
  expect(calls.every(({ signal }) => signal.aborted)).toBe(true)
})

it('tells an error of the model apart from a stream that just ends', async () => {
  const talk = setUp()
  act(() => talk.current.ask('Hello'))
  await waitFor(() => expect(calls).toHaveLength(2))
  const error = { code: 'out_of_memory', message: 'Too large.', hint: 'Smaller.' }
  call(0).send(`event: error\ndata: ${JSON.stringify(error)}\n\n`)
  call(0).end()
  call(1).send(token('Cut'))
  call(1).end()
  await waitFor(() => expect(talk.current.busy).toBe(false))
  const [first, second] = talk.current.turns[0]?.answers ?? []
  expect(first).toMatchObject({ state: 'failed', error: { message: expect.any(String) } })
  expect(second).toMatchObject({ text: 'Cut', state: 'failed' })
  expect(second?.error?.message).not.toBe(first?.error?.message)
})
