/** Notices, what one wants to see of them, and where else they are sent. */
import { infiniteQueryOptions, queryOptions, type QueryClient } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'

export type Notice = Schemas['Notice']
export type NoticeKind = Schemas['NoticeKind']
export type NoticeTarget = Schemas['NoticeTarget']
export type DeliveryError = Schemas['DeliveryError']

const POLL_MS = 15_000
const NEWEST = 20
const PAGE_SIZE = 50

/** The newest ones and how many are unread; asked for now and then while the tab is visible. */
export const newestQuery = () =>
  queryOptions({
    queryKey: ['notices', 'newest'],
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/notices', { params: { query: { limit: NEWEST } }, signal })),
    refetchInterval: POLL_MS,
  })

/** All of them page by page. */
export const noticePagesQuery = (unread: boolean) =>
  infiniteQueryOptions({
    queryKey: ['notices', 'pages', unread],
    queryFn: ({ signal, pageParam: cursor }) =>
      take(
        api.GET('/api/v1/notices', { params: { query: { unread, limit: PAGE_SIZE, cursor } }, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })

/** Marks some, or all, as read; what is shown follows. */
export async function markRead(client: QueryClient, body: { ids: string[] } | { all: true }) {
  await take(api.POST('/api/v1/notices/read', { body: { all: false, ...body } }))
  await client.invalidateQueries({ queryKey: ['notices'] })
}

export const preferencesQuery = () =>
  queryOptions({
    queryKey: ['notices', 'preferences'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/notices/preferences', { signal })),
  })

export const savePreferences = (kinds: NoticeKind[]) =>
  take(api.PUT('/api/v1/notices/preferences', { body: { kinds } }))

/** Who is signed in; under the key of the accounts, which have it already. */
export const meQuery = () =>
  queryOptions({
    queryKey: ['accounts', 'me'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/auth/me', { signal })),
    staleTime: 5 * 60_000,
  })

export const targetsQuery = () =>
  queryOptions({
    queryKey: ['notices', 'targets'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/notices/targets', { signal })),
    refetchInterval: POLL_MS,
  })

const path = (id: string) => ({ path: { target_id: id } })

export const addTarget = (body: Schemas['NoticeTargetCreate']) =>
  take(api.POST('/api/v1/notices/targets', { body }))

export const changeTarget = (id: string, body: Schemas['NoticeTargetUpdate']) =>
  take(api.PATCH('/api/v1/notices/targets/{target_id}', { params: path(id), body }))

export const removeTarget = (id: string) =>
  take(api.DELETE('/api/v1/notices/targets/{target_id}', { params: path(id) }))

export const testTarget = (id: string) =>
  take(api.POST('/api/v1/notices/targets/{target_id}/test', { params: path(id) }))

export const deliveriesQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['notices', 'deliveries', id],
    queryFn: ({ signal, pageParam: cursor }) =>
      take(
        api.GET('/api/v1/notices/targets/{target_id}/deliveries', {
          params: { ...path(id), query: { limit: PAGE_SIZE, cursor } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: POLL_MS,
  })
