/** What the curves look like: one place for all charts of runs. */
import type { LineSeriesOption } from 'echarts/charts'
import type {
  DataZoomComponentOption,
  GridComponentOption,
  LegendComponentOption,
  MarkLineComponentOption,
  TooltipComponentOption,
} from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import { placesOf, type Axis, type AxisFacts } from './axis'
import { marks } from './marks'
import { smooth } from './smooth'
import type { Schemas } from '@/api/client'

export type ChartOption = ComposeOption<
  | DataZoomComponentOption
  | LineSeriesOption
  | GridComponentOption
  | LegendComponentOption
  | TooltipComponentOption
  | MarkLineComponentOption
>

/** Colours of the theme that is shown; a canvas can not read CSS variables. */
export interface ChartColours {
  text: string
  line: string
  grid: string
  train: string
  evaluation: string
  bad: string
  surface: string
  background: string
  /** One for each of several runs. */
  runs: readonly string[]
}

export interface CurveWords {
  train: string
  evaluation: string
  /** The two sides of any other measure. */
  whileTraining: string
  heldOut: string
  step: string
  checkpoint: string
  resumed: string
  notFinite: string
  axes: Record<Axis, string>
  /** A place on the axis in words. */
  place: (axis: Axis, value: number) => string
}

export interface CurveSettings {
  smoothing: number
  logarithmic: boolean
  axis: Axis
}

export type Points = Schemas['MetricPoint'][]

export const pairs = (points: Points, values: readonly (number | null)[], axis: Axis, facts: AxisFacts) => {
  const places = placesOf(points, axis, facts)
  return points.map((_, n) => [places[n] ?? null, values[n] ?? null])
}

export const valuesOf = (points: Points) => points.map(({ value }) => value)

export function line(name: string, data: (number | null)[][], rest: LineSeriesOption): LineSeriesOption {
  return { type: 'line', name, data, showSymbol: false, animation: false, ...rest }
}

/** Loss: the raw line ghosted behind the smoothed, evaluation dashed with points. */
export function lossOption(
  metrics: Schemas['MetricSeries'],
  settings: CurveSettings,
  facts: AxisFacts,
  words: CurveWords,
  colours: ChartColours,
): ChartOption {
  const { smoothing, axis } = settings
  const train = metrics.series.loss ?? []
  const evaluation = metrics.series.eval_loss ?? []
  const raw = valuesOf(train)
  const series = [
    line(words.train, pairs(train, smooth(raw, smoothing), axis, facts), {
      color: colours.train,
      lineStyle: { width: 2 },
      markLine: {
        symbol: 'none',
        silent: true,
        animation: false,
        data: marks(metrics, train, settings, facts, words, colours),
      },
    }),
    line(words.evaluation, pairs(evaluation, valuesOf(evaluation), axis, facts), {
      color: colours.evaluation,
      lineStyle: { width: 2, type: 'dashed' },
      showSymbol: true,
      symbolSize: 6,
    }),
  ]
  const ghost = line('', pairs(train, raw, axis, facts), {
    color: colours.train,
    lineStyle: { width: 1, opacity: 0.25 },
    silent: true,
    tooltip: { show: false },
  })
  return {
    ...frame(words, colours, settings),
    legend: { data: [words.train, words.evaluation], textStyle: { color: colours.text }, top: 0 },
    series: smoothing > 0 ? [ghost, ...series] : series,
  }
}

/** One measure: a line for the training, dashed with points for held-out rows. */
export function pairOption(
  name: string,
  { train, evaluation }: { train: Points; evaluation: Points },
  axis: Axis,
  facts: AxisFacts,
  words: CurveWords,
  colours: ChartColours,
): ChartOption {
  const values = (points: Points) => pairs(points, valuesOf(points), axis, facts)
  const both = train.length > 0 && evaluation.length > 0
  const series = [
    ...(train.length > 0
      ? [
          line(both ? words.whileTraining : name, values(train), {
            color: colours.train,
            lineStyle: { width: 1.5 },
          }),
        ]
      : []),
    ...(evaluation.length > 0
      ? [
          line(words.heldOut, values(evaluation), {
            color: colours.evaluation,
            lineStyle: { width: 1.5, type: 'dashed' as const },
            showSymbol: true,
            symbolSize: 5,
          }),
        ]
      : []),
  ]
  const legend = { textStyle: { color: colours.text }, top: 0 }
  return {
    ...frame(words, colours, { smoothing: 0, logarithmic: false, axis }),
    ...(evaluation.length > 0 && { legend }),
    series,
  }
}

/** Axes, tooltip and zoom: Ctrl and the wheel zoom, dragging moves what is zoomed. */
export function frame(
  words: CurveWords,
  colours: ChartColours,
  { logarithmic, axis }: CurveSettings,
): ChartOption {
  const look = {
    axisLabel: { color: colours.text },
    axisLine: { lineStyle: { color: colours.grid } },
    splitLine: { lineStyle: { color: colours.grid, opacity: 0.5 } },
    nameTextStyle: { color: colours.text },
  }
  const place = (value: unknown) => (typeof value === 'number' ? words.place(axis, value) : String(value))
  return {
    grid: { left: 8, right: 16, top: 32, bottom: 24, containLabel: true },
    dataZoom: [{ type: 'inside', xAxisIndex: 0, zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false, filterMode: 'none' }],
    tooltip: {
      trigger: 'axis',
      backgroundColor: colours.surface,
      borderColor: colours.grid,
      textStyle: { color: colours.text, fontSize: 12 },
      valueFormatter: (value) => (typeof value === 'number' ? value.toPrecision(4) : '–'),
    },
    xAxis: {
      ...look,
      type: 'value',
      name: words.axes[axis],
      nameLocation: 'middle',
      nameGap: 24,
      min: 'dataMin',
      max: 'dataMax',
      minInterval: axis === 'step' ? 1 : undefined,
      splitLine: { show: false },
      axisLabel: { ...look.axisLabel, hideOverlap: true, formatter: place },
      axisPointer: { label: { formatter: ({ value }) => place(value) } },
    },
    yAxis: { ...look, type: logarithmic ? 'log' : 'value', scale: true },
  }
}
