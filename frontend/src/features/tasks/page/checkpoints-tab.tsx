/** The checkpoints of a run: what it could be resumed from. */
import { useQuery } from '@tanstack/react-query'
import { Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { checkpointsQuery, type Task } from '../api'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { Bytes } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'

export function CheckpointsTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(checkpointsQuery(task.id))
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton />
  if (data.length === 0) return <EmptyState title={t('tasks.checkpoints.none')} />
  return (
    <Table
      size="small"
      rowKey={({ attempt, name }) => `${attempt}/${name}`}
      dataSource={data}
      pagination={{ hideOnSinglePage: true }}
      scroll={{ x: 'max-content' }}
      columns={[
        { title: t('tasks.checkpoints.step'), dataIndex: 'step', className: 'numeric' },
        { title: t('tasks.fields.attempt'), dataIndex: 'attempt', className: 'numeric' },
        { title: t('general.size'), dataIndex: 'size_bytes', render: (value: number) => <Bytes value={value} /> },
        { title: t('general.created'), dataIndex: 'at', render: (at: string) => <RelativeTime at={at} /> },
        {
          title: t('general.status'),
          dataIndex: 'exists',
          className: 'nowrap',
          render: (exists: boolean) => t(exists ? 'tasks.checkpoints.kept' : 'tasks.checkpoints.replaced'),
        },
      ]}
    />
  )
}
