import { act, renderHook, waitFor } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import { markSignedIn, useSessionExpired } from './session'
import { useEventStream } from './use-event-stream'
import { HIDDEN_MS } from './use-seen'

/** A server whose answers the test writes piece by piece. */
function serveStreams() {
  const opened: { url: string; send: (text: string) => void; signal: AbortSignal }[] = []
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    let send!: (text: string) => void
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        send = (text) => controller.enqueue(new TextEncoder().encode(text))
      },
    })
    opened.push({ url, send, signal: init.signal as AbortSignal })
    return new Response(body)
  })
  return opened
}

it('hands over batches, and closes on a goodbye', async () => {
  const opened = serveStreams()
  const batches: string[][] = []
  const { result } = renderHook(() =>
    useEventStream('/logs', { onEvents: (events) => batches.push(events.map(({ data }) => data)) }),
  )
  expect(result.current.state).toBe('connecting')
  await waitFor(() => expect(result.current.state).toBe('live'))
  await act(async () => opened[0]?.send('id: 1\ndata: a\n\nid: 2\ndata: b\n\n'))
  await waitFor(() => expect(batches).toEqual([['a', 'b']]))
  await act(async () => opened[0]?.send('event: bye\ndata: {}\n\n'))
  await waitFor(() => expect(result.current.state).toBe('closed'))
})

it('opens nothing without an address and leaves when the component goes', async () => {
  const opened = serveStreams()
  const { result, rerender, unmount } = renderHook(
    ({ url }) => useEventStream(url, { onEvents: () => undefined }),
    { initialProps: { url: null as string | null } },
  )
  expect(result.current.state).toBe('closed')
  expect(opened).toHaveLength(0)
  rerender({ url: '/events' })
  await waitFor(() => expect(opened).toHaveLength(1))
  unmount()
  expect(opened[0]?.signal.aborted).toBe(true)
})

it('opens again from the place that is asked for', async () => {
  const opened = serveStreams()
  const { result, rerender } = renderHook(
    ({ after }) => useEventStream('/logs', { after, onEvents: () => undefined }),
    { initialProps: { after: '1-0' } },
  )
  await waitFor(() => expect(opened).toHaveLength(1))
  rerender({ after: '1-90' })
  expect(opened).toHaveLength(1)
  act(() => result.current.reopen())
  await waitFor(() => expect(opened.map(({ url }) => url)).toEqual(['/logs?after=1-0', '/logs?after=1-90']))
})

function showTab(state: DocumentVisibilityState) {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state)
  document.dispatchEvent(new Event('visibilitychange'))
}

it('lets go of the stream in a hidden tab and resumes where it was', async () => {
  const opened = serveStreams()
  const { result } = renderHook(() =>
    useEventStream('/logs', { after: '1-0', onEvents: () => undefined }),
  )
  await waitFor(() => expect(result.current.state).toBe('live'))
  await act(async () => opened[0]?.send('id: 1-90\ndata: a\n\n'))
  vi.useFakeTimers()
  act(() => showTab('hidden'))
  await act(() => vi.advanceTimersByTimeAsync(HIDDEN_MS / 2))
  expect(opened[0]?.signal.aborted).toBe(false)
  await act(() => vi.advanceTimersByTimeAsync(HIDDEN_MS))
  expect(opened[0]?.signal.aborted).toBe(true)
  vi.useRealTimers()
  act(() => showTab('visible'))
  await waitFor(() => expect(opened.map(({ url }) => url)).toEqual(['/logs?after=1-0', '/logs?after=1-90']))
  vi.restoreAllMocks()
})

it('asks to sign in when the session ends, and goes on from its place afterwards', async () => {
  const opened: string[] = []
  let signedIn = true
  vi.stubGlobal('fetch', async (url: string) => {
    opened.push(url)
    if (!signedIn) {
      const answer = Response.json({ code: 'Unauthenticated', status: 401 }, { status: 401 })
      Object.defineProperty(answer, 'url', { value: `http://localhost${url}` })
      return answer
    }
    const text = opened.length === 1 ? 'id: 1-7\ndata: a\n\nevent: auth\ndata: {}\n\n' : 'data: b\n\n'
    signedIn = opened.length > 1
    return new Response(text)
  })
  const told: string[] = []
  const { result, unmount } = renderHook(() => ({
    stream: useEventStream('/logs', {
      onEvents: (events) => told.push(...events.map(({ data }) => data)),
    }),
    expired: useSessionExpired(),
  }))
  await waitFor(() => expect(result.current.expired).toBe(true), { timeout: 3000 })
  expect(opened).toEqual(['/logs', '/logs?after=1-7'])
  signedIn = true
  act(() => markSignedIn())
  await waitFor(() => expect(told).toContain('b'))
  expect(opened[2]).toBe('/logs?after=1-7')
  unmount()
})
