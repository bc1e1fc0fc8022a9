/** Series that belong together: what was seen while training, and the same on held-out rows. */
import type { Schemas } from '@/api/client'

type Points = Schemas['MetricPoint'][]

export interface MetricGroup {
  name: string
  train: Points
  evaluation: Points
}

const PREFIX = 'eval_'
// The loss has a chart of its own.
const SHOWN_ABOVE = 'loss'
// Shares of the rows, shown in per cent; everything else is shown as a number.
const SHARES = new Set(['accuracy', 'f1', 'reward_accuracy'])
// How the model is judged, by what it learnt; the first that a run has says most.
const OWN = ['accuracy', 'f1', 'rmse', 'reward_accuracy', 'reward_margin', 'kl'] as const

export type OwnMetric = (typeof OWN)[number]

const baseOf = (name: string) => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name)

/** One group for each name, in the order in which they first came. */
export function groupsOf(series: Record<string, Points>): MetricGroup[] {
  const names = new Set(Object.keys(series).map(baseOf))
  names.delete(SHOWN_ABOVE)
  return [...names].map((name) => ({
    name,
    train: series[name] ?? [],
    evaluation: series[PREFIX + name] ?? [],
  }))
}

export const isShare = (name: string): boolean => SHARES.has(name)

/** The objective's own measures as they stand: on held-out rows where those were measured. */
export function ownMetrics(
  metrics: Record<string, number | null>,
): { name: OwnMetric; value: number; heldOut: boolean }[] {
  return OWN.flatMap((name) => {
    const heldOut = metrics[PREFIX + name]
    const value = heldOut ?? metrics[name]
    return value == null ? [] : [{ name, value, heldOut: heldOut != null }]
  })
}
