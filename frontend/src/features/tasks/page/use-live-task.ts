/** Keeps one task's caches fresh from its event stream, as long as the page is open. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import {
  checkpointsQuery,
  eventsQuery,
  isLive,
  liveTasksQuery,
  metricsQuery,
  rememberTask,
  samplesQuery,
  taskQuery,
  taskUrl,
  type Task,
} from '../api'
import { mergePoints, type MetricsEvent } from './metric-points'
import type { Schemas } from '@/api/client'
import type { ServerEvent, StreamState } from '@/api/event-stream'
import { useEventStream } from '@/api/use-event-stream'

/** `enabled`: listen at all; a finished task has nothing to say. */
export function useLiveTask(id: string, enabled: boolean): StreamState {
  const client = useQueryClient()
  // What the loaded curves hold need not come again.
  const { data: metrics } = useQuery({ ...metricsQuery(id), enabled })

  function refresh(...keys: readonly (readonly unknown[])[]): void {
    for (const queryKey of keys) void client.invalidateQueries({ queryKey })
  }

  function markResumed({ code, attempt, params }: Schemas['TaskEvent']): void {
    const { step } = params
    if (code !== 'resumed' || typeof step !== 'number') return
    client.setQueryData(metricsQuery(id).queryKey, (before) =>
      before ? { ...before, attempts: { ...before.attempts, [attempt]: step } } : before,
    )
  }

  function onEvents(events: ServerEvent[]): void {
    const points: MetricsEvent[] = []
    let task: Task | undefined
    for (const { type, data } of events) {
      if (type === 'task') task = JSON.parse(data) as Task
      else if (type === 'metrics') points.push(JSON.parse(data) as MetricsEvent)
      else if (type === 'samples') refresh(samplesQuery(id).queryKey)
      else if (type === 'notice') {
        refresh(eventsQuery(id).queryKey)
        markResumed(JSON.parse(data) as Schemas['TaskEvent'])
      }
      else if (type === 'checkpoint') {
        refresh(checkpointsQuery(id).queryKey, eventsQuery(id).queryKey)
      } else if (type === 'end') {
        // The server's own down-sampled curves replace what was gathered live.
        refresh(metricsQuery(id).queryKey, eventsQuery(id).queryKey, samplesQuery(id).queryKey)
      }
    }
    if (points.length > 0) {
      client.setQueryData(metricsQuery(id).queryKey, (before) =>
        before ? mergePoints(before, points) : before,
      )
    }
    if (task) rememberTask(client, task)
  }

  return useEventStream(enabled && metrics ? taskUrl(id, 'events/stream') : null, {
    after: metrics?.next,
    onEvents,
  }).state
}

/** An ended run may be resumed in another tab or from the command line: the list of live work tells. */
export function useNoticeNewAttempt(task: Task): void {
  const client = useQueryClient()
  const { data } = useQuery(liveTasksQuery())
  const newer =
    !isLive(task) && data?.items.some(({ id, attempt }) => id === task.id && attempt > task.attempt)
  useEffect(() => {
    if (newer) void client.invalidateQueries({ queryKey: taskQuery(task.id).queryKey })
  }, [client, newer, task.id])
}
