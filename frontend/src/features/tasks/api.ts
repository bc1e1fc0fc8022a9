/** Fine-tunings: lists. */
import { queryOptions } from '@tanstack/react-query'
import { api, take } from '@/api/client'
import type { operations } from '@/api/schema.gen'

export type TaskListParams = NonNullable<operations['list_tasks']['parameters']['query']>

export const taskListQuery = (query: TaskListParams = {}) =>
  queryOptions({
    queryKey: ['tasks', 'list', query],
    queryFn: ({ signal }) => take(api.GET('/api/v1/tasks', { params: { query }, signal })),
  })

/** Work that waits or runs, kept fresh: for the ring in the bar and the overview. */
export const liveTasksQuery = () =>
  queryOptions({
    ...taskListQuery({ status: ['PENDING', 'PREPARING', 'RUNNING', 'STOPPING'], limit: 50 }),
    refetchInterval: ({ state }) => (state.data?.items.length ? 3_000 : 15_000),
  })
