/** Every number of the run over its steps. */
import { useQuery } from '@tanstack/react-query'
import { Col, Row, Typography } from 'antd'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { isLive, metricsQuery, type Task } from '../api'
import { pairOption } from '../chart/chart-options'
import { LossChart, useCurveWords } from '../chart/loss-chart'
import { useChartColours } from '../chart/use-chart-colours'
import { groupsOf } from './metric-groups'

const EChart = lazy(() => import('../chart/echart'))

export function MetricsTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const { data } = useQuery(metricsQuery(task.id))
  const words = useCurveWords()
  const colours = useChartColours()
  const title = (name: string) => t(`tasks.metrics.${name}` as 'tasks.metrics.loss', { defaultValue: name })
  return (
    <>
      <LossChart taskId={task.id} live={isLive(task)} />
      <Row gutter={[16, 16]} style={{ marginTop: 16 }}>
        {groupsOf(data?.series ?? {}).map(({ name, train, evaluation }) => (
          <Col key={name} xs={24} md={12} xl={8}>
            <Typography.Text strong>{title(name)}</Typography.Text>
            <Suspense fallback={<div style={{ height: 200 }} />}>
              <EChart
                option={pairOption(title(name), { train, evaluation }, words, colours)}
                height={200}
                label={title(name)}
              />
            </Suspense>
          </Col>
        ))}
      </Row>
    </>
  )
}
