/** Curves of several runs over each other: a colour for each, evaluation dashed. */
import type { LineSeriesOption } from 'echarts/charts'
import type { AxisFacts } from '../chart/axis'
import {
  frame,
  line,
  pairs,
  valuesOf,
  type ChartColours,
  type ChartOption,
  type CurveSettings,
  type CurveWords,
  type Points,
} from '../chart/chart-options'
import { smooth } from '../chart/smooth'

export interface Curve {
  name: string
  colour: string
  train: Points
  evaluation: Points
  facts: AxisFacts
}

function linesOf({ name, colour: color, train, evaluation, facts }: Curve, { smoothing, axis }: CurveSettings) {
  const raw = valuesOf(train)
  const ghost: LineSeriesOption[] =
    smoothing > 0
      ? [
          line(name, pairs(train, raw, axis, facts), {
            color,
            lineStyle: { width: 1, opacity: 0.2 },
            silent: true,
            tooltip: { show: false },
          }),
        ]
      : []
  return [
    ...ghost,
    ...(train.length > 0
      ? [line(name, pairs(train, smooth(raw, smoothing), axis, facts), { color, lineStyle: { width: 2 } })]
      : []),
    ...(evaluation.length > 0
      ? [
          line(name, pairs(evaluation, valuesOf(evaluation), axis, facts), {
            color,
            lineStyle: { width: 2, type: 'dashed' as const },
            showSymbol: true,
            symbolSize: 6,
          }),
        ]
      : []),
  ]
}

/** Lines of one run have one name, so that the legend hides them together. */
export function compareOption(
  curves: readonly Curve[],
  settings: CurveSettings,
  words: CurveWords,
  colours: ChartColours,
): ChartOption {
  return {
    ...frame(words, colours, settings),
    grid: { left: 8, right: 16, top: 48, bottom: 24, containLabel: true },
    legend: {
      type: 'scroll',
      data: curves.map(({ name, colour }) => ({ name, itemStyle: { color: colour } })),
      textStyle: { color: colours.text },
      pageTextStyle: { color: colours.text },
      pageIconColor: colours.text,
      top: 0,
    },
    series: curves.flatMap((curve) => linesOf(curve, settings)),
  }
}
