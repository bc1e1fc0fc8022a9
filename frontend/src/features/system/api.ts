/** Facts about this host. */
import { queryOptions } from '@tanstack/react-query'
import { api, take } from '@/api/client'

const REFRESH_MS = 5_000

export const systemQuery = () =>
  queryOptions({
    queryKey: ['system', 'facts'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/system', { signal })),
    refetchInterval: REFRESH_MS,
  })

export const overviewQuery = () =>
  queryOptions({
    queryKey: ['system', 'overview'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/system/overview', { signal })),
    refetchInterval: REFRESH_MS,
  })
