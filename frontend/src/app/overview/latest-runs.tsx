/** The newest runs, one line each. */
import { useQuery } from '@tanstack/react-query'
import { Card, Table, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { paths } from '../paths'
import type { Schemas } from '@/api/client'
import { LossValue } from '@/components/loss-value'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { Duration } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { JobStatusTag } from '@/components/status-tag'
import { taskListQuery } from '@/features/tasks/api'

type Task = Schemas['Task']

const LIMIT = 8

const tookSeconds = ({ started_at: from, finished_at: to }: Task) =>
  from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : null

export function LatestRuns() {
  const { t } = useTranslation()
  const { data } = useQuery(taskListQuery({ limit: LIMIT }))
  if (!data) return <DelayedSkeleton />
  const columns: TableColumnsType<Task> = [
    {
      title: t('general.name'),
      key: 'name',
      render: (_, task) => <Link to={paths.task(task.id)}>{task.name}</Link>,
    },
    {
      title: t('general.status'),
      key: 'status',
      render: (_, { status }) => <JobStatusTag status={status} />,
    },
    {
      title: t('overview.model'),
      key: 'model',
      responsive: ['md'],
      render: (_, { model }) => model.name,
    },
    {
      title: t('overview.data'),
      key: 'data',
      responsive: ['md'],
      render: (_, { dataset }) => dataset.name,
    },
    {
      title: t('tasks.columns.loss'),
      key: 'loss',
      align: 'end',
      className: 'numeric',
      render: (_, { metrics }) => <LossValue metrics={metrics} />,
    },
    {
      title: t('overview.took'),
      key: 'took',
      align: 'end',
      render: (_, task) => <Duration seconds={tookSeconds(task)} />,
    },
    {
      title: t('general.created'),
      key: 'created',
      align: 'end',
      render: (_, { created_at: at }) => <RelativeTime at={at} />,
    },
  ]
  return (
    <Card
      size="small"
      title={t('overview.latest')}
      extra={<Link to={paths.tasks}>{t('shell.ring.all')}</Link>}
      styles={{ body: { padding: 0 } }}
    >
      <Table<Task>
        rowKey="id"
        size="small"
        columns={columns}
        dataSource={data.items}
        pagination={false}
        scroll={{ x: 640 }}
      />
    </Card>
  )
}
