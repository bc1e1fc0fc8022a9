/** The runs that are compared, with their curves; those that are not there are told apart. */
import { useQueries } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { isLive, metricsQuery, taskQuery, type Task } from '../api'
import { colourPlaces, distinctNames } from './runs'
import { useChartColours } from '../chart/use-chart-colours'
import type { Schemas } from '@/api/client'
import { ApiError } from '@/api/errors'

export interface Compared {
  task: Task
  /** The name, told apart from others of the same name. */
  name: string
  colour: string
  metrics: Schemas['MetricSeries'] | undefined
}

const REFRESH_MS = 5_000

/** Asking again does not help: gone, or not one's own. */
const isGone = (error: unknown) => error instanceof ApiError && error.status === 404

export function useCompared(ids: readonly string[]) {
  const colours = useChartColours()
  const [places, setPlaces] = useState(() => colourPlaces(ids, new Map()))
  const next = colourPlaces(ids, places)
  if (next.size !== places.size || [...next].some(([id, place]) => places.get(id) !== place)) setPlaces(next)

  const tasks = useQueries({ queries: ids.map((id) => taskQuery(id)) })
  const metrics = useQueries({
    queries: ids.map((id, n) => {
      const task = tasks[n]?.data
      return {
        ...metricsQuery(id),
        enabled: task !== undefined,
        refetchInterval: task && isLive(task) ? REFRESH_MS : (false as const),
      }
    }),
  })
  const data = metrics.map((each) => each.data)
  const found = tasks.flatMap(({ data: task }, n) => (task ? [{ task, metrics: data[n] }] : []))
  const key = found.map(({ task, metrics: curves }) => `${task.id} ${task.step} ${task.name} ${curves?.next ?? ''}`).join()
  const runs = useMemo<Compared[]>(() => {
    const names = distinctNames(found.map(({ task }) => task.name))
    return found.map(({ task, metrics: curves }, n) => ({
      task,
      metrics: curves,
      name: names[n] ?? task.name,
      colour: colours.runs[(next.get(task.id) ?? n) % colours.runs.length] ?? colours.text,
    }))
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says when they have changed
  }, [key, colours, places])
  return {
    runs,
    gone: ids.filter((_, n) => isGone(tasks[n]?.error)),
    error: tasks.find(({ error, data: task }) => error && !task && !isGone(error))?.error ?? null,
    loading: tasks.some(({ isPending }) => isPending),
  }
}
