/** Runs in a table: state with its reason, what learns from what, how far, how good. */
import { Progress, Table, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { isLive, type Task } from '../api'
import { translateCode } from '@/api/errors'
import { paths } from '@/app/paths'
import { Duration } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { JobStatusTag } from '@/components/status-tag'
import { useNow } from '@/components/use-now'
import { useFormat } from '@/i18n/format'

interface Props {
  items: Task[]
  /** The row that the keyboard is on. */
  current?: string | undefined
  selected: readonly string[]
  onSelect: (ids: readonly string[]) => void
}

const lossOf = ({ metrics }: Task) => metrics.eval_loss ?? metrics.loss ?? null

function tookSeconds({ started_at: from, finished_at: to }: Task, now: number): number | null {
  if (!from) return null
  return Math.max(0, ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000)
}

function StatusCell({ task }: { task: Task }) {
  const { t } = useTranslation()
  const { error, queue, status } = task
  return (
    <>
      <JobStatusTag status={status} />
      {status === 'FAILED' && error && (
        <div className="secondary" style={{ fontSize: 12, maxWidth: 260 }}>
          {translateCode(t, error)}
        </div>
      )}
      {status === 'PENDING' && queue && (
        <div className="secondary" style={{ fontSize: 12, maxWidth: 260 }}>
          {t(`tasks.queue.${queue.reason}`, { position: queue.position })}
        </div>
      )}
    </>
  )
}

export function TaskTable({ items, current, selected, onSelect }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  const columns: TableColumnsType<Task> = [
    {
      title: t('general.name'),
      key: 'name',
      sorter: (a, b) => a.name.localeCompare(b.name),
      render: (_, task) => <Link to={paths.task(task.id)}>{task.name}</Link>,
    },
    { title: t('general.status'), key: 'status', render: (_, task) => <StatusCell task={task} /> },
    {
      title: t('tasks.columns.progress'),
      key: 'progress',
      width: 150,
      render: (_, task) =>
        isLive(task) && task.status !== 'PENDING' ? (
          <Progress
            size="small"
            percent={task.progress * 100}
            format={() => format.percent(task.progress)}
            aria-label={t('tasks.columns.progress')}
          />
        ) : (
          <span className="numeric">
            {task.total_steps != null && `${format.number(task.step)} / ${format.number(task.total_steps)}`}
          </span>
        ),
    },
    {
      title: t('tasks.fields.model'),
      key: 'model',
      responsive: ['md'],
      render: (_, { model }) => <span style={{ overflowWrap: 'anywhere' }}>{model.name}</span>,
    },
    {
      title: t('tasks.fields.dataset'),
      key: 'dataset',
      responsive: ['md'],
      render: (_, { dataset }) => <Link to={paths.dataset(dataset.id)}>{dataset.name}</Link>,
    },
    {
      title: t('tasks.fields.method'),
      key: 'method',
      responsive: ['xl'],
      render: (_, { method }) => t(`tasks.methods.${method}`),
    },
    {
      title: t('tasks.columns.loss'),
      key: 'loss',
      align: 'end',
      className: 'numeric',
      sorter: (a, b) => (lossOf(a) ?? Infinity) - (lossOf(b) ?? Infinity),
      render: (_, task) => format.value(lossOf(task)),
    },
    {
      title: t('tasks.columns.took'),
      key: 'took',
      align: 'end',
      responsive: ['lg'],
      render: (_, task) => <Duration seconds={tookSeconds(task, now)} />,
    },
    {
      title: t('tasks.fields.owner'),
      key: 'owner',
      responsive: ['xxl'],
      dataIndex: 'owner',
    },
    {
      title: t('general.created'),
      key: 'created',
      align: 'end',
      render: (_, { created_at: at }) => <RelativeTime at={at} />,
    },
  ]
  return (
    <Table<Task>
      rowKey="id"
      size="small"
      columns={columns}
      dataSource={items}
      pagination={false}
      scroll={{ x: 760 }}
      locale={{ emptyText: t('general.noMatch') }}
      rowClassName={({ id }) => (id === current ? 'ant-table-row-selected' : '')}
      rowSelection={{
        selectedRowKeys: [...selected],
        onChange: (keys) => onSelect(keys.map(String)),
        getCheckboxProps: ({ name }) => ({ 'aria-label': name }),
      }}
    />
  )
}
