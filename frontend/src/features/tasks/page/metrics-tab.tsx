/** Every number of the run; the charts share cross-hair, zoom and what they stand over. */
import { useQuery } from '@tanstack/react-query'
import { Col, Row, Typography } from 'antd'
import { lazy, Suspense, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { metricsQuery, type Task } from '../api'
import { axisFacts, epochsPerStep, type AxisFacts } from '../chart/axis'
import { pairOption } from '../chart/chart-options'
import { LossChart } from '../chart/loss-chart'
import { useChartColours } from '../chart/use-chart-colours'
import { useCurveSettings } from '../chart/use-curve-settings'
import { useCurveWords } from '../chart/use-curve-words'
import { groupsOf, type MetricGroup } from './metric-groups'

const EChart = lazy(() => import('../chart/echart'))

interface PairProps {
  task: Task
  pair: MetricGroup
  facts: AxisFacts
}

function PairChart({ task, pair, facts }: PairProps) {
  const { t } = useTranslation()
  const words = useCurveWords()
  const colours = useChartColours()
  const [{ axis: wanted }] = useCurveSettings()
  const axis = wanted === 'epoch' && epochsPerStep(task) === null ? 'step' : wanted
  const title = t(`tasks.metrics.${pair.name}` as 'tasks.metrics.loss', { defaultValue: pair.name })
  const option = useMemo(
    () => pairOption(title, pair, axis, facts, words, colours),
    [title, pair, axis, facts, words, colours],
  )
  return (
    <>
      <Typography.Text strong>{title}</Typography.Text>
      <Suspense fallback={<div style={{ height: 200 }} />}>
        <EChart option={option} height={200} label={title} group={task.id} />
      </Suspense>
    </>
  )
}

export function MetricsTab({ task }: { task: Task }) {
  const { data } = useQuery(metricsQuery(task.id))
  const { epoch, step } = task
  const facts = useMemo(() => axisFacts({ epoch, step }, data), [epoch, step, data])
  const groups = useMemo(() => groupsOf(data?.series ?? {}), [data])
  return (
    <>
      <LossChart task={task} group={task.id} />
      <Row gutter={[16, 16]} style={{ marginTop: 16 }}>
        {groups.map((pair) => (
          <Col key={pair.name} xs={24} md={12} xl={8}>
            <PairChart task={task} pair={pair} facts={facts} />
          </Col>
        ))}
      </Row>
    </>
  )
}
