/** Fine-tunings: lists, one with its numbers, and what can be done with it. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  type QueryClient,
} from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'
import type { operations } from '@/api/schema.gen'

export type Task = Schemas['Task']
/** How another attempt is computed. */
export type Again = Schemas['AgainRequest']
export type TaskListParams = NonNullable<operations['list_tasks']['parameters']['query']>
export type LogQuery = NonNullable<operations['get_task_logs']['parameters']['query']>

const LIVE = new Set<Task['status']>(['PENDING', 'PREPARING', 'RUNNING', 'STOPPING'])
export const isLive = (task: Task) => LIVE.has(task.status)

export const taskListQuery = (query: TaskListParams = {}) =>
  queryOptions({
    queryKey: ['tasks', 'list', query],
    queryFn: ({ signal }) => take(api.GET('/api/v1/tasks', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isLive) ? 3_000 : 30_000),
  })

/** The list page by page, each by the cursor of the one before. */
export const taskPagesQuery = (query: Omit<TaskListParams, 'cursor'> = {}) =>
  infiniteQueryOptions({
    queryKey: ['tasks', 'list', 'pages', query],
    queryFn: ({ signal, pageParam: cursor }) =>
      take(api.GET('/api/v1/tasks', { params: { query: { ...query, cursor } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some(isLive)) ? 3_000 : 30_000,
  })

/** Work that waits or runs, kept fresh: for the ring in the bar and the overview. */
export const liveTasksQuery = () =>
  queryOptions({
    ...taskListQuery({ status: ['PENDING', 'PREPARING', 'RUNNING', 'STOPPING'], limit: 50 }),
    refetchInterval: ({ state }) => (state.data?.items.length ? 3_000 : 15_000),
  })

/** What the list can be narrowed down to. */
export const choicesQuery = () =>
  queryOptions({
    queryKey: ['tasks', 'choices'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/tasks/choices', { signal })),
    staleTime: 30_000,
  })

const path = (id: string) => ({ path: { task_id: id } })
const one = (id: string, part?: string) => ['tasks', 'one', id, ...(part ? [part] : [])]

/** One task. Its page keeps it fresh by the event stream; the interval is the safety net. */
export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: one(id),
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/tasks/{task_id}', { params: path(id), signal })),
    refetchInterval: ({ state }) => (state.data && isLive(state.data) ? 5_000 : false),
    // The tab's title tells the progress also while the tab is hidden, when there is no stream.
    refetchIntervalInBackground: true,
  })

export const metricsQuery = (id: string) =>
  queryOptions({
    queryKey: one(id, 'metrics'),
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/tasks/{task_id}/metrics', { params: path(id), signal })),
  })

export const eventsQuery = (id: string) =>
  queryOptions({
    queryKey: one(id, 'events'),
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/tasks/{task_id}/events', { params: path(id), signal })),
  })

export const samplesQuery = (id: string) =>
  queryOptions({
    queryKey: one(id, 'samples'),
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/tasks/{task_id}/samples', { params: path(id), signal })),
  })

export const checkpointsQuery = (id: string) =>
  queryOptions({
    queryKey: one(id, 'checkpoints'),
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/tasks/{task_id}/checkpoints', { params: path(id), signal })),
  })

// The client forgets that a colour's span is a tuple; so here and wherever lines come from.
export const getLogs = (id: string, query: LogQuery, signal?: AbortSignal) =>
  take(api.GET('/api/v1/tasks/{task_id}/logs', { params: { ...path(id), query }, signal })) as Promise<
    Schemas['LogPage']
  >

const EVIDENCE_LINES = 200

/** The end of the log of a run that failed. */
export const failureLogQuery = ({ id, attempt }: Pick<Task, 'id' | 'attempt'>) =>
  queryOptions({
    queryKey: [...one(id, 'evidence'), attempt],
    queryFn: ({ signal }) => getLogs(id, { attempt, tail: true, limit: EVIDENCE_LINES }, signal),
    staleTime: Infinity,
  })

export const stopTask = (id: string, save: boolean) =>
  take(api.POST('/api/v1/tasks/{task_id}/stop', { params: path(id), body: { save } }))

export const restartTask = (id: string, body?: Again) =>
  take(api.POST('/api/v1/tasks/{task_id}/restart', { params: path(id), body }))

export const resumeTask = (id: string, body?: Again) =>
  take(api.POST('/api/v1/tasks/{task_id}/resume', { params: path(id), body }))

export const updateTask = (id: string, body: Schemas['TaskUpdate']) =>
  take(api.PATCH('/api/v1/tasks/{task_id}', { params: path(id), body }))

export const deleteTask = (id: string) =>
  take(api.DELETE('/api/v1/tasks/{task_id}', { params: path(id) }))

/** Puts a newer state of a task everywhere at once. */
export function rememberTask(client: QueryClient, task: Task): void {
  client.setQueryData(taskQuery(task.id).queryKey, task)
  void client.invalidateQueries({ queryKey: ['tasks', 'list'] })
}

/** Addresses for downloads and streams. */
export const taskUrl = (id: string, part: string) => `/api/v1/tasks/${id}/${part}`
