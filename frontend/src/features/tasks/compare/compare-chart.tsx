/** Curves over each other, with a choice of the measure, and the numbers as a table. */
import { Flex, Select, Table } from 'antd'
import type { ECharts } from 'echarts/core'
import { lazy, Suspense, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { AXES, axisFacts, epochsPerStep } from '../chart/axis'
import type { Points } from '../chart/chart-options'
import { ChartToolbar } from '../chart/chart-toolbar'
import { useChartColours } from '../chart/use-chart-colours'
import { useCurveSettings } from '../chart/use-curve-settings'
import { useCurveWords } from '../chart/use-curve-words'
import { compareOption, type Curve } from './compare-options'
import type { Compared } from './use-compared'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { useFormat } from '@/i18n/format'

const EChart = lazy(() => import('../chart/echart'))
const HEIGHT = 380
const HELD_OUT = 'eval_'

const baseOf = (name: string) => (name.startsWith(HELD_OUT) ? name.slice(HELD_OUT.length) : name)

/** Every measure that any of the runs has, the loss first. */
function measuresOf(runs: readonly Compared[]): string[] {
  const names = runs.flatMap(({ metrics }) => Object.keys(metrics?.series ?? {}).map(baseOf))
  return [...new Set(['loss', ...names])].filter((name) => names.includes(name))
}

interface Props {
  runs: readonly Compared[]
  measure: string
  onMeasure: (name: string) => void
}

export function CompareChart({ runs, measure: wanted, onMeasure }: Props) {
  const { t } = useTranslation()
  const [settings, setSettings] = useCurveSettings()
  const [asTable, setAsTable] = useState(false)
  const chart = useRef<ECharts | null>(null)
  const words = useCurveWords()
  const colours = useChartColours()
  const measures = useMemo(() => measuresOf(runs), [runs])
  const measure = measures.includes(wanted) ? wanted : (measures[0] ?? 'loss')
  const title = (name: string) => t(`tasks.metrics.${name}` as 'tasks.metrics.loss', { defaultValue: name })
  const axes = AXES.filter((axis) => axis !== 'epoch' || runs.every(({ task }) => epochsPerStep(task) !== null))
  const { smoothing, logarithmic } = settings
  const axis = axes.includes(settings.axis) ? settings.axis : 'step'
  const curves = useMemo<Curve[]>(
    () =>
      runs.map(({ task, name, colour, metrics }) => ({
        name,
        colour,
        train: metrics?.series[measure] ?? [],
        evaluation: metrics?.series[HELD_OUT + measure] ?? [],
        facts: axisFacts(task, metrics),
      })),
    [runs, measure],
  )
  const option = useMemo(
    () => compareOption(curves, { smoothing, logarithmic, axis }, words, colours),
    [curves, smoothing, logarithmic, axis, words, colours],
  )
  if (runs.some(({ metrics }) => !metrics)) return <DelayedSkeleton rows={8} />
  if (measures.length === 0) return <EmptyState title={t('tasks.compare.noCurves')} />
  const label = t('tasks.compare.chart', { measure: title(measure) })
  return (
    <section aria-label={label}>
      <Flex justify="space-between" gap={8} wrap>
        <Select
          value={measure}
          onChange={onMeasure}
          aria-label={t('tasks.compare.measure')}
          style={{ minWidth: 200 }}
          options={measures.map((value) => ({ value, label: title(value) }))}
        />
        <ChartToolbar
          settings={{ smoothing, logarithmic, axis }}
          onChange={setSettings}
          axes={axes}
          asTable={asTable}
          onTable={setAsTable}
          chart={chart}
          background={colours.background}
          filename={`comparison-${measure}`}
        />
      </Flex>
      <p className="secondary" style={{ margin: '4px 0', fontSize: 12 }}>
        {t('tasks.compare.dashes')}
      </p>
      {asTable ? (
        <CurveTable curves={curves} />
      ) : (
        <Suspense fallback={<div style={{ height: HEIGHT }} />}>
          <EChart option={option} height={HEIGHT} label={label} handleRef={chart} />
        </Suspense>
      )}
    </section>
  )
}

const byStep = (points: Points) => new Map(points.map(({ step, value }) => [step, value]))

function CurveTable({ curves }: { curves: readonly Curve[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const sides = curves.flatMap(({ name, train, evaluation }) => [
    { key: `${name} train`, title: `${name} · ${t('tasks.chart.whileTraining')}`, values: byStep(train) },
    { key: `${name} held out`, title: `${name} · ${t('tasks.chart.heldOut')}`, values: byStep(evaluation) },
  ])
  const shown = sides.filter(({ values }) => values.size > 0)
  const steps = [...new Set(shown.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b)
  return (
    <div style={{ overflowX: 'auto' }}>
      <Table<{ step: number }>
        size="small"
        rowKey="step"
        dataSource={steps.map((step) => ({ step }))}
        pagination={{ pageSize: 20, size: 'small', hideOnSinglePage: true, showSizeChanger: false }}
        columns={[
          { title: t('tasks.chart.step'), dataIndex: 'step', className: 'numeric' },
          ...shown.map(({ key, title, values }) => ({
            key,
            title,
            className: 'numeric',
            render: (_: unknown, { step }: { step: number }) => {
              const value = values.get(step)
              if (value === undefined) return ''
              return value === null ? t('tasks.chart.notFinite') : format.value(value)
            },
          })),
        ]}
      />
    </div>
  )
}
