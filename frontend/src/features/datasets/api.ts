/** Data sets: lists, one with its rows, report and statistics, changing, deleting. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'
import type { operations } from '@/api/schema.gen'

type QueryOf<Name extends keyof operations> = operations[Name]['parameters'] extends {
  query?: infer Query
}
  ? NonNullable<Query>
  : never

export type DatasetListParams = QueryOf<'list_datasets'>

const IMPORT_REFRESH_MS = 1_000
const PAGE_SIZE = 50

const isImporting = (dataset: Schemas['Dataset']) => dataset.status === 'importing'

/** An import, or a version that is being made beside the one that is shown. */
const isMoving = (dataset: Schemas['Dataset']) =>
  isImporting(dataset) || dataset.preparation?.status === 'running'

export const datasetListQuery = (query: DatasetListParams = {}) =>
  queryOptions({
    queryKey: ['datasets', 'list', query],
    queryFn: ({ signal }) => take(api.GET('/api/v1/datasets', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some(isImporting) ? IMPORT_REFRESH_MS : false,
  })

/** The list page by page: each page asks with the cursor of the one before. */
export const datasetPagesQuery = (query: DatasetListParams) =>
  infiniteQueryOptions({
    queryKey: ['datasets', 'pages', query],
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET('/api/v1/datasets', {
          params: { query: { ...query, limit: PAGE_SIZE, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(isImporting)) ? IMPORT_REFRESH_MS : false,
  })

export const datasetQuery = (id: string) =>
  queryOptions({
    queryKey: ['datasets', 'one', id],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}', { params: { path: { dataset_id: id } }, signal }),
      ),
    refetchInterval: ({ state }) => (state.data && isMoving(state.data) ? IMPORT_REFRESH_MS : false),
  })

type Shown = Pick<Schemas['Dataset'], 'id' | 'version' | 'sha256' | 'status'>

/** Which version is asked for; a file that is not understood yet has none. */
const versionOf = ({ version, status }: Shown) =>
  status === 'ready' || status === 'blocked' ? { version } : {}

/** Rows, report and figures belong to what was imported: another import, another key. */
const contentKey = ({ id, version, sha256, status }: Shown, part: string) =>
  ['datasets', 'one', id, part, version, sha256, status] as const

export const datasetRowsQuery = (dataset: Shown, query: QueryOf<'get_dataset_rows'>) =>
  queryOptions({
    queryKey: [...contentKey(dataset, 'rows'), query],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/rows', {
          params: { path: { dataset_id: dataset.id }, query: { ...versionOf(dataset), ...query } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  })

export const datasetReportQuery = (dataset: Shown, query: QueryOf<'get_dataset_report'>) =>
  queryOptions({
    queryKey: [...contentKey(dataset, 'report'), query],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/report', {
          params: { path: { dataset_id: dataset.id }, query: { ...versionOf(dataset), ...query } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  })

export const datasetStatisticsQuery = (dataset: Shown) =>
  queryOptions({
    queryKey: contentKey(dataset, 'statistics'),
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/statistics', {
          params: { path: { dataset_id: dataset.id }, query: versionOf(dataset) },
          signal,
        }),
      ),
  })

export const examplesQuery = () =>
  queryOptions({
    queryKey: ['datasets', 'examples'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/datasets/examples', { signal })),
    staleTime: Infinity,
  })

export const addExample = (example: string) =>
  take(api.POST('/api/v1/datasets/examples', { body: { example } }))

export const updateDataset = (id: string, body: Schemas['DatasetUpdate']) =>
  take(api.PATCH('/api/v1/datasets/{dataset_id}', { params: { path: { dataset_id: id } }, body }))

export const stopDataset = (id: string) =>
  take(api.POST('/api/v1/datasets/{dataset_id}/stop', { params: { path: { dataset_id: id } } }))

export const deleteDataset = (id: string) =>
  take(api.DELETE('/api/v1/datasets/{dataset_id}', { params: { path: { dataset_id: id } } }))

/** Addresses for downloads. */
export const datasetFileUrl = (id: string) => `/api/v1/datasets/${id}/file`
export const datasetReportUrl = (id: string, version: number) =>
  `/api/v1/datasets/${id}/report/download?version=${version}`
