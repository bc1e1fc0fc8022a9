/**
 * The one way to call the server: types from OpenAPI, the session cookie of this origin, errors as
 * `ApiError` or `NetworkError`. `take(api.GET('/api/v1/system'))` gives the data or throws.
 */
import createClient, { type Middleware } from 'openapi-fetch'
import { expectAnswer, reportReachable, reportUnreachable } from './connection'
import { errorOf, isServerAway, NetworkError } from './errors'
import type { components, paths } from './schema.gen'
import { markExpired } from './session'

export type Schemas = components['schemas']

/** Proves to the server that a page of its own sent the request: no form of another site can. */
export const OWN_HEADER = { 'X-EasyTune': '1' } as const

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
// These answer 401 to a wrong password or a visitor; the page was not signed in.
const SIGN_IN_PATHS = /\/api\/v1\/auth\/(login|setup|me|logout)$/

/** What every answer, however it was fetched, tells about server and session. */
export async function checkAnswer(response: Response): Promise<void> {
  if (response.ok) {
    reportReachable()
    return
  }
  const error = await errorOf(response)
  if (isServerAway(error)) reportUnreachable()
  else reportReachable()
  if (error.status === 401 && !SIGN_IN_PATHS.test(new URL(response.url).pathname)) markExpired()
  throw error
}

/** A call that got no answer; an aborted one stays an abort. */
export function noAnswer(error: unknown): Error {
  if (error instanceof DOMException && error.name === 'AbortError') return error
  reportUnreachable()
  return new NetworkError(error)
}

const middleware: Middleware = {
  onRequest({ request }) {
    if (!SAFE_METHODS.has(request.method)) {
      for (const [name, value] of Object.entries(OWN_HEADER)) request.headers.set(name, value)
    }
  },
  async onResponse({ response }) {
    await checkAnswer(response)
  },
  onError({ error }) {
    return noAnswer(error)
  },
}

/** `fetch` under watch: looked up at each call, so that a test can put its own in place. */
export async function watchedFetch(input: Request | string, init?: RequestInit): Promise<Response> {
  const answered = expectAnswer()
  try {
    return await globalThis.fetch(input, init)
  } finally {
    answered()
  }
}

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: 'same-origin',
  fetch: (request) => watchedFetch(request),
})
api.use(middleware)

/** The data of a call; the middleware has thrown for everything that is not a success. */
export async function take<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call
  return data as T
}

/** A key for one intended creation: sent again with a retry, so that nothing is created twice. */
export function newIdempotencyKey(): string {
  // randomUUID exists only in secure contexts; a plain-HTTP LAN host is none.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
