/** Base models: catalogue, lists, adding, deleting. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'
import type { operations } from '@/api/schema.gen'

export type ModelListParams = NonNullable<operations['list_models']['parameters']['query']>

const PAGE_SIZE = 50
const MOVING_REFRESH_MS = 1_500

const isMoving = (model: Schemas['Model']) =>
  model.status === 'downloading' || model.status === 'converting'

export const modelListQuery = (query: ModelListParams = {}) =>
  queryOptions({
    queryKey: ['models', 'list', query],
    queryFn: ({ signal }) => take(api.GET('/api/v1/models', { params: { query }, signal })),
    refetchInterval: ({ state }) => (state.data?.items.some(isMoving) ? MOVING_REFRESH_MS : false),
  })

/** The list page by page: each page asks with the cursor of the one before. */
export const modelPagesQuery = (query: ModelListParams) =>
  infiniteQueryOptions({
    queryKey: ['models', 'pages', query],
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET('/api/v1/models', {
          params: { query: { ...query, limit: PAGE_SIZE, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(isMoving)) ? MOVING_REFRESH_MS : false,
  })

export const catalogQuery = () =>
  queryOptions({
    queryKey: ['models', 'catalog'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/models/catalog', { signal })),
    staleTime: 60_000,
  })

export const localFoldersQuery = () =>
  queryOptions({
    queryKey: ['models', 'local-folders'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/models/local-folders', { signal })),
  })

export const addModel = (body: Schemas['ModelCreate']) => take(api.POST('/api/v1/models', { body }))

export const retryModel = (id: string) =>
  take(api.POST('/api/v1/models/{model_id}/retry', { params: { path: { model_id: id } } }))

export const trustModel = (id: string, sha256: string) =>
  take(
    api.POST('/api/v1/models/{model_id}/trust', {
      params: { path: { model_id: id } },
      body: { sha256 },
    }),
  )

/** Who is signed in; under the key of the accounts, which have it already. */
export const meQuery = () =>
  queryOptions({
    queryKey: ['accounts', 'me'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/auth/me', { signal })),
    staleTime: 5 * 60_000,
  })

export const deleteModel = (id: string) =>
  take(api.DELETE('/api/v1/models/{model_id}', { params: { path: { model_id: id } } }))
