/** Rows as tokens and their lengths, for a model. The models have the query key of their own list. */
import { keepPreviousData, queryOptions, skipToken } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'
import type { operations } from '@/api/schema.gen'

type TokensQuery = NonNullable<operations['get_dataset_tokens']['parameters']['query']>
type LengthsQuery = NonNullable<operations['get_dataset_lengths']['parameters']['query']>
type Shown = Pick<Schemas['Dataset'], 'id' | 'version' | 'sha256'>

const MAX_OPTIONS = 200
const COUNTING_REFRESH_MS = 1_500

export const modelOptionsQuery = () =>
  queryOptions({
    queryKey: ['models', 'list', { limit: MAX_OPTIONS }],
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/models', { params: { query: { limit: MAX_OPTIONS } }, signal })),
  })

// What a version holds never changes: neither do its tokens for a model.
const keyOf = ({ id, version, sha256 }: Shown, part: string, query: unknown) =>
  ['datasets', 'one', id, part, version, sha256, query] as const

/** Waits (null) until a model is chosen. */
export const datasetTokensQuery = (dataset: Shown, query: TokensQuery | null) =>
  queryOptions({
    queryKey: keyOf(dataset, 'tokens', query),
    queryFn: query
      ? ({ signal }) =>
          take(
            api.GET('/api/v1/datasets/{dataset_id}/tokens', {
              params: { path: { dataset_id: dataset.id }, query },
              signal,
            }),
          )
      : skipToken,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  })

/** Waits (null) until a model is chosen; asks again while the rows are counted. */
export const datasetLengthsQuery = (dataset: Shown, query: LengthsQuery | null) =>
  queryOptions({
    queryKey: keyOf(dataset, 'lengths', query),
    queryFn: query
      ? ({ signal }) =>
          take(
            api.GET('/api/v1/datasets/{dataset_id}/lengths', {
              params: { path: { dataset_id: dataset.id }, query },
              signal,
            }),
          )
      : skipToken,
    refetchInterval: ({ state }) =>
      state.data?.status === 'counting' ? COUNTING_REFRESH_MS : false,
  })
