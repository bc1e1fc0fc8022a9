/** What a curve stands over: steps, epochs, or the time that was spent training. */
import type { Schemas } from '@/api/client'
import { resumedSteps } from '../page/metric-points'

export const AXES = ['step', 'epoch', 'time'] as const
export type Axis = (typeof AXES)[number]

export const isAxis = (text: string): text is Axis => AXES.some((each) => each === text)

type Point = Schemas['MetricPoint'] & { epoch?: number | null }

export interface AxisFacts {
  /** Epochs in one step; null where it is not known. */
  epochsPerStep: number | null
  attempts: Schemas['MetricSeries']['attempts']
  /** The moment of the first point of any curve, in milliseconds: where the time begins. */
  began: number
}

export function axisFacts(task: Pick<Schemas['Task'], 'epoch' | 'step'>, metrics?: Schemas['MetricSeries']): AxisFacts {
  const first = Object.values(metrics?.series ?? {}).flatMap(([point]) => (point ? [Date.parse(point.at)] : []))
  return {
    epochsPerStep: epochsPerStep(task),
    attempts: metrics?.attempts ?? {},
    began: Math.min(...first),
  }
}

export const epochsPerStep = ({ epoch, step }: Pick<Schemas['Task'], 'epoch' | 'step'>): number | null =>
  epoch && step ? epoch / step : null

/** Steps after which the time stood still: a later attempt went on from there. */
function spentSeconds(points: readonly Point[], { attempts, began }: AxisFacts): number[] {
  const resumed = resumedSteps(attempts).filter((step) => step > 0)
  let spent = 0
  return points.map(({ at, step }, n) => {
    const before = points[n - 1]
    if (!before) return (spent = Math.max(0, (Date.parse(at) - began) / 1000))
    const paused = resumed.some((each) => before.step <= each && each < step)
    if (!paused) spent += Math.max(0, (Date.parse(at) - Date.parse(before.at)) / 1000)
    return spent
  })
}

/** Where each point stands on the axis; null where that is not known. */
export function placesOf(points: readonly Point[], axis: Axis, facts: AxisFacts): (number | null)[] {
  if (axis === 'time') return spentSeconds(points, facts)
  if (axis === 'step') return points.map(({ step }) => step)
  const { epochsPerStep: share } = facts
  return points.map(({ step, epoch }) => epoch ?? (share === null ? null : step * share))
}

/** Where a step stands, by the points around it; null before there are any. */
export function placeOfStep(
  step: number,
  points: readonly Point[],
  places: readonly (number | null)[],
): number | null {
  const next = points.findIndex((point) => point.step >= step)
  if (next < 0) return places.at(-1) ?? null
  const [from, to] = [points[next - 1], points[next]]
  const [low, high] = [places[next - 1], places[next]]
  if (!from || !to || low == null || high == null || to.step === from.step) return high ?? null
  return low + ((high - low) * (step - from.step)) / (to.step - from.step)
}
