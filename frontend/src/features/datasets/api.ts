/** Data sets: lists, one with its rows, report and statistics, changing, deleting. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'
import type { operations } from '@/api/schema.gen'

type QueryOf<Name extends keyof operations> = operations[Name]['parameters'] extends {
  query?: infer Query
}
  ? NonNullable<Query>
  : never

export type DatasetListParams = QueryOf<'list_datasets'>

const IMPORT_REFRESH_MS = 1_000

export const datasetListQuery = (query: DatasetListParams = {}) =>
  queryOptions({
    queryKey: ['datasets', 'list', query],
    queryFn: ({ signal }) => take(api.GET('/api/v1/datasets', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ status }) => status === 'importing') ? IMPORT_REFRESH_MS : false,
  })

export const datasetQuery = (id: string) =>
  queryOptions({
    queryKey: ['datasets', 'one', id],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}', { params: { path: { dataset_id: id } }, signal }),
      ),
    refetchInterval: ({ state }) =>
      state.data?.status === 'importing' ? IMPORT_REFRESH_MS : false,
  })

export const datasetRowsQuery = (id: string, query: QueryOf<'get_dataset_rows'>) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'rows', query],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/rows', {
          params: { path: { dataset_id: id }, query },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  })

export const datasetReportQuery = (id: string, query: QueryOf<'get_dataset_report'>) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'report', query],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/report', {
          params: { path: { dataset_id: id }, query },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  })

export const datasetStatisticsQuery = (id: string) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'statistics'],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/statistics', {
          params: { path: { dataset_id: id } },
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

export const deleteDataset = (id: string) =>
  take(api.DELETE('/api/v1/datasets/{dataset_id}', { params: { path: { dataset_id: id } } }))

/** Addresses for downloads. */
export const datasetFileUrl = (id: string) => `/api/v1/datasets/${id}/file`
export const datasetReportUrl = (id: string) => `/api/v1/datasets/${id}/report/download`
