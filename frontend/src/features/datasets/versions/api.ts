/** Versions of a data set: which there are, what differs, going back, deleting. */
import { queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'

export type Version = Schemas['DatasetVersion']

/** A new version or another current one is another list. */
export const datasetVersionsQuery = ({ id, version, status }: Pick<Schemas['Dataset'], 'id' | 'version' | 'status'>) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'versions', version, status],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/versions', {
          params: { path: { dataset_id: id } },
          signal,
        }),
      ),
  })

/** What `version` has that `against` has not. Versions never change: an answer stays true. */
export const datasetDiffQuery = (id: string, version: number, against: number) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'diff', version, against],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/versions/{version}/diff', {
          params: { path: { dataset_id: id, version }, query: { against } },
          signal,
        }),
      ),
    staleTime: Infinity,
  })

export const restoreVersion = (id: string, version: number) =>
  take(
    api.POST('/api/v1/datasets/{dataset_id}/versions/{version}/restore', {
      params: { path: { dataset_id: id, version } },
    }),
  )

export const deleteVersion = (id: string, version: number) =>
  take(
    api.DELETE('/api/v1/datasets/{dataset_id}/versions/{version}', {
      params: { path: { dataset_id: id, version } },
    }),
  )
