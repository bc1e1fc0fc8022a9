/** Metric points as they arrive: added to the series that were loaded, each step once. */
import type { Schemas } from '@/api/client'

type Metrics = Schemas['MetricSeries']
type Point = Schemas['MetricPoint']

export interface MetricsEvent {
  step: number
  at: string
  values: Record<string, number | null>
}

function place(points: readonly Point[], point: Point): Point[] {
  const last = points.at(-1)
  if (!last || last.step < point.step) return [...points, point]
  // A resumed attempt repeats steps, and a reconnected stream repeats events: the newest counts.
  return [...points.filter(({ step }) => step < point.step), point]
}

/** The series with `events` applied; the given object stays as it is. */
export function mergePoints(metrics: Metrics, events: readonly MetricsEvent[]): Metrics {
  const series = { ...metrics.series }
  for (const { step, at, values } of events) {
    for (const [name, value] of Object.entries(values)) {
      const known = series[name] ?? []
      const last = known.at(-1)
      // History and stream overlap after a reconnection: what is older than the end is known.
      if (last && last.step >= step && last.at >= at) continue
      series[name] = place(known, { step, value, at })
    }
  }
  return { ...metrics, series }
}

/** After which steps the curve goes on from a checkpoint: what a restart threw away does not count. */
export function resumedSteps(attempts: Metrics['attempts']): number[] {
  const first = Object.entries(attempts)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, step]) => step)
  return first.slice(first.lastIndexOf(0) + 1)
}
