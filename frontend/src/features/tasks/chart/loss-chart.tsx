/** The loss of a run: smoothing, scale, axis, zoom, files, and the same numbers as a table. */
import { useQuery } from '@tanstack/react-query'
import { Table } from 'antd'
import type { ECharts } from 'echarts/core'
import { lazy, Suspense, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isLive, metricsQuery, taskUrl, type Task } from '../api'
import { AXES, axisFacts, epochsPerStep } from './axis'
import { lossOption } from './chart-options'
import { ChartToolbar } from './chart-toolbar'
import { useChartColours } from './use-chart-colours'
import { useCurveSettings } from './use-curve-settings'
import { useCurveWords } from './use-curve-words'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { useFormat } from '@/i18n/format'

const EChart = lazy(() => import('./echart'))
const HEIGHT = 300

/** `group`: charts that share cross-hair and zoom with this one. */
export function LossChart({ task, group }: { task: Task; group?: string }) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(metricsQuery(task.id))
  const [settings, setSettings] = useCurveSettings()
  const [asTable, setAsTable] = useState(false)
  const chart = useRef<ECharts | null>(null)
  const words = useCurveWords()
  const colours = useChartColours()
  const { epoch, step } = task
  const share = epochsPerStep(task)
  const axes = AXES.filter((axis) => axis !== 'epoch' || share !== null)
  const { smoothing, logarithmic } = settings
  const axis = axes.includes(settings.axis) ? settings.axis : 'step'
  const option = useMemo(
    () =>
      data &&
      lossOption(
        data,
        { smoothing, logarithmic, axis },
        axisFacts({ epoch, step }, data),
        words,
        colours,
      ),
    [data, smoothing, logarithmic, axis, epoch, step, words, colours],
  )

  if (error && !data) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data || !option) return <DelayedSkeleton rows={6} />
  if (!data.series.loss?.length) {
    return <EmptyState title={t(isLive(task) ? 'tasks.chart.soon' : 'tasks.chart.none')} />
  }
  return (
    <section aria-label={t('tasks.chart.title')}>
      <ChartToolbar
        settings={{ smoothing, logarithmic, axis }}
        onChange={setSettings}
        axes={axes}
        asTable={asTable}
        onTable={setAsTable}
        chart={chart}
        background={colours.background}
        filename={`${task.output_name}-loss`}
        csv={`${taskUrl(task.id, 'metrics')}?format=csv`}
      />
      {asTable ? (
        <LossTable taskId={task.id} />
      ) : (
        <Suspense fallback={<div style={{ height: HEIGHT }}><DelayedSkeleton rows={6} /></div>}>
          <EChart option={option} height={HEIGHT} label={t('tasks.chart.title')} group={group} handleRef={chart} />
        </Suspense>
      )}
    </section>
  )
}

function LossTable({ taskId }: { taskId: string }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data } = useQuery(metricsQuery(taskId))
  const evaluation = new Map(data?.series.eval_loss?.map(({ step, value }) => [step, value]))
  const rate = new Map(data?.series.learning_rate?.map(({ step, value }) => [step, value]))
  const losses = new Map(data?.series.loss?.map(({ step, value }) => [step, value]))
  const steps = [...new Set([...losses.keys(), ...evaluation.keys()])].sort((a, b) => a - b)
  const number = (values: Map<number, number | null>) => (step: number) =>
    values.has(step) ? (values.get(step) === null ? t('tasks.chart.notFinite') : format.value(values.get(step))) : ''
  return (
    <Table<{ step: number }>
      size="small"
      rowKey="step"
      dataSource={steps.map((step) => ({ step }))}
      pagination={{ pageSize: 20, size: 'small', hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        { title: t('tasks.chart.step'), dataIndex: 'step', className: 'numeric' },
        { title: t('tasks.chart.train'), dataIndex: 'step', key: 'loss', render: number(losses), className: 'numeric' },
        { title: t('tasks.chart.evaluation'), dataIndex: 'step', key: 'eval', render: number(evaluation), className: 'numeric' },
        { title: t('tasks.chart.learningRate'), dataIndex: 'step', key: 'rate', render: number(rate), className: 'numeric' },
      ]}
    />
  )
}
