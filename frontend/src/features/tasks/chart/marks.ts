/** What is marked on the curve of the loss. */
import { placeOfStep, placesOf, type AxisFacts } from './axis'
import type { ChartColours, CurveSettings, CurveWords, Points } from './chart-options'
import { resumedSteps } from '../page/metric-points'
import type { Schemas } from '@/api/client'

const MOST_MARKS = 20

/** Checkpoints, resumed steps, and where something was not a number. */
export function marks(
  metrics: Schemas['MetricSeries'],
  points: Points,
  { axis }: CurveSettings,
  facts: AxisFacts,
  words: CurveWords,
  colours: ChartColours,
) {
  const places = placesOf(points, axis, facts)
  const mark = (step: number, name: string, color: string, type: 'dotted' | 'solid', label: boolean) => {
    const xAxis = placeOfStep(step, points, places)
    return xAxis === null
      ? []
      : [
          {
            xAxis,
            name,
            lineStyle: { color, type, width: 1 },
            label: { show: label, formatter: name, color, fontSize: 10 },
          },
        ]
  }
  const notFinite = [...points, ...(metrics.series.eval_loss ?? [])].filter(({ value }) => value === null)
  return [
    ...metrics.checkpoints.slice(-MOST_MARKS).flatMap((step) => mark(step, words.checkpoint, colours.grid, 'solid', false)),
    ...resumedSteps(metrics.attempts)
      .filter((step) => step > 0)
      .flatMap((step) => mark(step, words.resumed, colours.text, 'dotted', true)),
    ...notFinite
      .slice(0, MOST_MARKS)
      .flatMap(({ step }) => mark(step, words.notFinite, colours.bad, 'solid', true)),
  ]
}
