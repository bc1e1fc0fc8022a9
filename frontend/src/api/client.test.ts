import { act, renderHook } from '@testing-library/react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, newIdempotencyKey, take } from './client'
import { reportReachable, SLOW_MS, useReachable } from './connection'
import { markSignedIn, useSessionExpired } from './session'

function answer(status: number, body: unknown = {}) {
  const seen: Request[] = []
  vi.stubGlobal('fetch', async (request: Request | string) => {
    if (typeof request === 'string') throw new TypeError('still away')
    seen.push(request)
    const response = new Response(status === 204 ? null : JSON.stringify(body), { status })
    return Object.defineProperty(response, 'url', { value: request.url })
  })
  return seen
}

afterEach(() => {
  act(() => {
    markSignedIn()
    reportReachable()
  })
})

describe('the client', () => {
  it('gives the data of an answer', async () => {
    answer(200, { datasets: 5, models: 3, tasks: {} })
    expect(await take(api.GET('/api/v1/system/overview'))).toMatchObject({ datasets: 5 })
  })

  it('proves its origin on unsafe methods only', async () => {
    const seen = answer(200)
    await take(api.GET('/api/v1/system'))
    await take(api.POST('/api/v1/auth/logout'))
    expect(seen.map((request) => request.headers.get('X-EasyTune'))).toEqual([null, '1'])
  })

  it('repeats list parameters', async () => {
    const seen = answer(200)
    const query = { status: ['RUNNING' as const, 'PENDING' as const] }
    await take(api.GET('/api/v1/tasks', { params: { query } }))
    expect(new URL(seen[0]?.url ?? '').search).toBe('?status=RUNNING&status=PENDING')
  })

  it('throws what the server refused', async () => {
    answer(404, { code: 'NotFound', detail: 'gone', request_id: 'r' })
    await expect(take(api.GET('/api/v1/system'))).rejects.toMatchObject({
      name: 'ApiError',
      status: 404,
      requestId: 'r',
    })
  })
})

describe('the session', () => {
  it('is expired after a 401, until the user has signed in', async () => {
    const { result } = renderHook(() => useSessionExpired())
    answer(401, { code: 'Unauthenticated' })
    await act(() => take(api.GET('/api/v1/system')).catch(() => undefined))
    expect(result.current).toBe(true)
    act(markSignedIn)
    expect(result.current).toBe(false)
  })

  it('is not expired by a wrong password', async () => {
    const { result } = renderHook(() => useSessionExpired())
    answer(401, { code: 'WrongPassword' })
    const body = { username: 'a', password: 'b' }
    await act(() => take(api.POST('/api/v1/auth/login', { body })).catch(() => undefined))
    expect(result.current).toBe(false)
  })
})

describe('the connection', () => {
  it('is lost when nobody answers and found again by itself', async () => {
    vi.useFakeTimers()
    const { result } = renderHook(() => useReachable())
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
    await act(() => take(api.GET('/api/v1/system')).catch(() => undefined))
    expect(result.current).toBe(false)

    const probed: string[] = []
    vi.stubGlobal('fetch', async (url: string) => {
      probed.push(url)
      return new Response('{}')
    })
    await act(() => vi.advanceTimersByTimeAsync(3000))
    expect(probed).toEqual(['/healthz'])
    expect(result.current).toBe(true)
    vi.useRealTimers()
  })

  it('is lost when the server hangs, and holds while one call is merely slow', async () => {
    vi.useFakeTimers()
    const { result } = renderHook(() => useReachable())
    let alive = true
    const never = new Promise<Response>(() => undefined)
    vi.stubGlobal('fetch', (request: Request | string) =>
      request === '/healthz' && alive ? Promise.resolve(new Response('{}')) : never,
    )
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
    void take(api.GET('/api/v1/system')).catch(() => undefined)
    await act(() => vi.advanceTimersByTimeAsync(2 * SLOW_MS))
    expect(result.current).toBe(true)
    alive = false
    vi.stubGlobal('fetch', () => Promise.reject(new DOMException('late', 'TimeoutError')))
    await act(() => vi.advanceTimersByTimeAsync(SLOW_MS))
    expect(result.current).toBe(false)
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  it('holds while the server merely refuses', async () => {
    const { result } = renderHook(() => useReachable())
    answer(500, {})
    await act(() => take(api.GET('/api/v1/system')).catch(() => undefined))
    expect(result.current).toBe(true)
  })

  it('leaves an aborted call alone', async () => {
    const { result } = renderHook(() => useReachable())
    vi.stubGlobal('fetch', () => Promise.reject(new DOMException('stop', 'AbortError')))
    await expect(take(api.GET('/api/v1/system'))).rejects.toMatchObject({ name: 'AbortError' })
    expect(result.current).toBe(true)
  })
})

it('makes a new idempotency key each time', () => {
  expect(newIdempotencyKey()).toMatch(/^[0-9a-f]{32}$/)
  expect(newIdempotencyKey()).not.toBe(newIdempotencyKey())
})
