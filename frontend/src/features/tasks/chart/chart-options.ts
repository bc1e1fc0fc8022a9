/** What the curves look like: one place for all charts of runs. */
import type { LineSeriesOption } from 'echarts/charts'
import type {
  GridComponentOption,
  LegendComponentOption,
  MarkLineComponentOption,
  TooltipComponentOption,
} from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import { smooth } from './smooth'
import { resumedSteps } from '../page/metric-points'
import type { Schemas } from '@/api/client'

export type ChartOption = ComposeOption<
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
}

export interface CurveSettings {
  smoothing: number
  logarithmic: boolean
}

type Points = Schemas['MetricPoint'][]

const pairs = (points: Points, values: readonly (number | null)[]) =>
  points.map(({ step }, n) => [step, values[n] ?? null])

function line(name: string, data: (number | null)[][], rest: LineSeriesOption): LineSeriesOption {
  return { type: 'line', name, data, showSymbol: false, animation: false, ...rest }
}

function marks(metrics: Schemas['MetricSeries'], points: Points, words: CurveWords, colours: ChartColours) {
  const notFinite = points.filter(({ value }) => value === null)
  const mark = (xAxis: number, name: string, color: string, type: 'dotted' | 'solid') => ({
    xAxis,
    name,
    lineStyle: { color, type, width: 1 },
    label: { formatter: name, color, fontSize: 10 },
  })
  return [
    ...metrics.checkpoints.map((step) => ({
      ...mark(step, words.checkpoint, colours.grid, 'solid'),
      label: { show: false },
    })),
    ...resumedSteps(metrics.attempts).map((step) => mark(step, words.resumed, colours.text, 'dotted')),
    ...notFinite.slice(0, 20).map(({ step }) => mark(step, words.notFinite, colours.bad, 'solid')),
  ]
}

/** Loss over steps: the raw line ghosted behind the smoothed, evaluation dashed with points. */
export function lossOption(
  metrics: Schemas['MetricSeries'],
  { smoothing, logarithmic }: CurveSettings,
  words: CurveWords,
  colours: ChartColours,
): ChartOption {
  const train = metrics.series.loss ?? []
  const evaluation = metrics.series.eval_loss ?? []
  const raw = train.map(({ value }) => value)
  const series = [
    line(words.train, pairs(train, smooth(raw, smoothing)), {
      color: colours.train,
      lineStyle: { width: 2 },
      markLine: {
        symbol: 'none',
        silent: true,
        animation: false,
        data: marks(metrics, train, words, colours),
      },
    }),
    line(words.evaluation, pairs(evaluation, evaluation.map(({ value }) => value)), {
      color: colours.evaluation,
      lineStyle: { width: 2, type: 'dashed' },
      showSymbol: true,
      symbolSize: 6,
    }),
  ]
  const ghost = line('', pairs(train, raw), {
    color: colours.train,
    lineStyle: { width: 1, opacity: 0.25 },
    silent: true,
    tooltip: { show: false },
  })
  return {
    ...frame(words, colours, logarithmic),
    legend: { data: [words.train, words.evaluation], textStyle: { color: colours.text }, top: 0 },
    series: smoothing > 0 ? [ghost, ...series] : series,
  }
}

/** One measure over steps: a line for the training, dashed with points for held-out rows. */
export function pairOption(
  name: string,
  { train, evaluation }: { train: Points; evaluation: Points },
  words: CurveWords,
  colours: ChartColours,
): ChartOption {
  const values = (points: Points) => pairs(points, points.map(({ value }) => value))
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
    ...frame(words, colours, false),
    ...(evaluation.length > 0 && { legend }),
    series,
  }
}

function frame(words: CurveWords, colours: ChartColours, logarithmic: boolean): ChartOption {
  const axis = {
    axisLabel: { color: colours.text },
    axisLine: { lineStyle: { color: colours.grid } },
    splitLine: { lineStyle: { color: colours.grid, opacity: 0.5 } },
    nameTextStyle: { color: colours.text },
  }
  return {
    grid: { left: 8, right: 16, top: 32, bottom: 24, containLabel: true },
    tooltip: {
      trigger: 'axis',
      backgroundColor: colours.surface,
      borderColor: colours.grid,
      textStyle: { color: colours.text, fontSize: 12 },
      valueFormatter: (value) => (typeof value === 'number' ? value.toPrecision(4) : '–'),
    },
    xAxis: { ...axis, type: 'value', name: words.step, nameLocation: 'middle', nameGap: 24, min: 'dataMin', max: 'dataMax', minInterval: 1, splitLine: { show: false } },
    yAxis: { ...axis, type: logarithmic ? 'log' : 'value', scale: true },
  }
}
