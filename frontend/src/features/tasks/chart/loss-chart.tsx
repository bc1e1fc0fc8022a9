/** The loss of a run: smoothing, logarithmic scale, and the same numbers as a table. */
import { useQuery } from '@tanstack/react-query'
import { Button, Checkbox, Flex, Slider, Table } from 'antd'
import { lazy, Suspense, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { metricsQuery } from '../api'
import { lossOption } from './chart-options'
import { useChartColours } from './use-chart-colours'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { useFormat } from '@/i18n/format'

const EChart = lazy(() => import('./echart'))
const HEIGHT = 300

export function useCurveWords() {
  const { t } = useTranslation()
  return useMemo(
    () => ({
      train: t('tasks.chart.train'),
      evaluation: t('tasks.chart.evaluation'),
      whileTraining: t('tasks.chart.whileTraining'),
      heldOut: t('tasks.chart.heldOut'),
      step: t('tasks.chart.step'),
      checkpoint: t('tasks.chart.checkpoint'),
      resumed: t('tasks.chart.resumed'),
      notFinite: t('tasks.chart.notFinite'),
    }),
    [t],
  )
}

export function LossChart({ taskId, live }: { taskId: string; live: boolean }) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(metricsQuery(taskId))
  const [smoothing, setSmoothing] = useState(0.6)
  const [logarithmic, setLogarithmic] = useState(false)
  const [asTable, setAsTable] = useState(false)
  const words = useCurveWords()
  const colours = useChartColours()
  const option = useMemo(
    () => data && lossOption(data, { smoothing, logarithmic }, words, colours),
    [data, smoothing, logarithmic, words, colours],
  )

  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data || !option) return <DelayedSkeleton rows={6} />
  if (!data.series.loss?.length) {
    return <EmptyState title={t(live ? 'tasks.chart.soon' : 'tasks.chart.none')} />
  }
  return (
    <section aria-label={t('tasks.chart.title')}>
      <Flex gap={16} align="center" justify="flex-end" wrap>
        <Flex gap={8} align="center">
          <span className="secondary">{t('tasks.chart.smoothing')}</span>
          <Slider
            ariaLabelForHandle={t('tasks.chart.smoothing')}
            min={0}
            max={0.98}
            step={0.02}
            value={smoothing}
            onChange={setSmoothing}
            style={{ width: 120, margin: '4px 8px' }}
          />
        </Flex>
        <Checkbox checked={logarithmic} onChange={(e) => setLogarithmic(e.target.checked)}>
          {t('tasks.chart.logarithmic')}
        </Checkbox>
        <Button size="small" type="text" onClick={() => setAsTable(!asTable)}>
          {t(asTable ? 'tasks.chart.asCurve' : 'tasks.chart.asTable')}
        </Button>
      </Flex>
      {asTable ? (
        <LossTable taskId={taskId} />
      ) : (
        <Suspense fallback={<div style={{ height: HEIGHT }}><DelayedSkeleton rows={6} /></div>}>
          <EChart option={option} height={HEIGHT} label={t('tasks.chart.title')} />
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
    values.has(step) ? format.value(values.get(step)) : ''
  return (
    <Table<{ step: number }>
      size="small"
      rowKey="step"
      dataSource={steps.map((step) => ({ step }))}
      pagination={{ pageSize: 20, size: 'small', hideOnSinglePage: true }}
      columns={[
        { title: t('tasks.chart.step'), dataIndex: 'step', className: 'numeric' },
        { title: t('tasks.chart.train'), dataIndex: 'step', key: 'loss', render: number(losses), className: 'numeric' },
        { title: t('tasks.chart.evaluation'), dataIndex: 'step', key: 'eval', render: number(evaluation), className: 'numeric' },
        { title: t('tasks.chart.learningRate'), dataIndex: 'step', key: 'rate', render: number(rate), className: 'numeric' },
      ]}
    />
  )
}
