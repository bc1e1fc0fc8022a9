/** Set-up, sign-in, who am I. */
import { queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'
import { markSignedIn } from '@/api/session'

export const meQuery = () =>
  queryOptions({
    queryKey: ['accounts', 'me'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/auth/me', { signal })),
    staleTime: 5 * 60_000,
  })

/** Public: whether the first administrator is still missing, whether the page is encrypted. */
export const setupStatusQuery = () =>
  queryOptions({
    queryKey: ['accounts', 'setup'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/auth/setup', { signal })),
    staleTime: Infinity,
  })

/** Creates the first administrator; the answer signs this browser in. */
export async function setUp(body: Schemas['Setup']): Promise<void> {
  await take(api.POST('/api/v1/auth/setup', { body }))
  markSignedIn()
}

/** Signs this browser in: the session cookie comes with the answer. */
export async function signIn(body: Schemas['Login']): Promise<void> {
  await take(api.POST('/api/v1/auth/login', { body }))
  markSignedIn()
}

export const signOut = () => take(api.POST('/api/v1/auth/logout'))
