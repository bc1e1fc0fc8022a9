/** Preparing a data set: trying steps out, having them carried out, stopping, forgetting a failure. */
import { keepPreviousData, queryOptions, skipToken } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'

export type PrepareRequest = Schemas['PrepareRequest']
export type Preview = Schemas['PreparePreview']

/** What the steps would make; waits (null) until there is one to try. */
export const previewQuery = (id: string, body: Schemas['PreviewRequest'] | null) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'preview', body],
    queryFn: body
      ? ({ signal }) =>
          take(
            api.POST('/api/v1/datasets/{dataset_id}/prepare/preview', {
              params: { path: { dataset_id: id } },
              body,
              signal,
            }),
          )
      : skipToken,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  })

export const prepareDataset = (id: string, body: PrepareRequest) =>
  take(
    api.POST('/api/v1/datasets/{dataset_id}/prepare', { params: { path: { dataset_id: id } }, body }),
  )

/** Stops a preparation that runs, or forgets one that failed. */
export const dropPreparation = (id: string) =>
  take(api.DELETE('/api/v1/datasets/{dataset_id}/prepare', { params: { path: { dataset_id: id } } }))
