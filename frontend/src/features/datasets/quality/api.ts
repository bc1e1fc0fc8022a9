/** What the rows of a version hide, and what two data sets share. */
import { queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'

export type Finding = Schemas['HygieneFinding']
export type FindingName = Schemas['FindingName']
export type Hygiene = Schemas['DatasetHygiene']
type Shown = Pick<Schemas['Dataset'], 'id' | 'version' | 'sha256'>

const REFRESH_MS = 2_000

const isMoving = (status: Hygiene['status'] | undefined) => status === 'waiting' || status === 'running'

export const hygieneQuery = ({ id, version, sha256 }: Shown) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'hygiene', version, sha256],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/hygiene', {
          params: { path: { dataset_id: id }, query: { version } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) => (isMoving(state.data?.status) ? REFRESH_MS : false),
  })

export const examine = (id: string, version: number) =>
  take(
    api.POST('/api/v1/datasets/{dataset_id}/hygiene', {
      params: { path: { dataset_id: id }, query: { version } },
    }),
  )

/** Rows of one version that another data set has, too. */
export const overlapQuery = ({ id, version, sha256 }: Shown, other: string) =>
  queryOptions({
    queryKey: ['datasets', 'one', id, 'overlap', version, sha256, other],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/datasets/{dataset_id}/overlap', {
          params: { path: { dataset_id: id }, query: { version, with_dataset_id: other } },
          signal,
        }),
      ),
    enabled: other !== '',
    retry: false,
  })
