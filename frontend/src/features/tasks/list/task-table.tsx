/** Runs in a table: state with its reason, what learns from what, how far, how good. */
import { Progress, Table, type TableColumnsType, type TableProps } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { isLive, type Task } from '../api'
import { queueText } from '../queue-text'
import { columnTitle } from './column-title'
import { tookSeconds, type Column, type Sort, type SortKey } from './list-view'
import { NameCell } from './name-cell'
import { translateCode } from '@/api/errors'
import { paths } from '@/app/paths'
import { LossValue } from '@/components/loss-value'
import { Duration } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { JobStatusTag } from '@/components/status-tag'
import { useNow } from '@/components/use-now'
import { useFormat } from '@/i18n/format'
import './task-table.css'

interface Props {
  items: Task[]
  columns: readonly Column[]
  sort: Sort
  onSort: (sort: Sort | null) => void
  selected: readonly string[]
  onSelect: (ids: readonly string[]) => void
}

function StatusCell({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { error, queue, status } = task
  const reason =
    status === 'FAILED' && error
      ? translateCode(t, error)
      : status === 'PENDING' && queue
        ? queueText(t, format, queue)
        : ''
  return (
    <>
      <JobStatusTag status={status} />
      {reason && (
        <div className="status-reason" title={reason}>
          {reason}
        </div>
      )}
    </>
  )
}

function ProgressCell({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { step, total_steps: total, status, progress } = task
  if (isLive(task) && status !== 'PENDING') {
    return (
      <Progress
        size="small"
        percent={progress * 100}
        format={() => format.percent(progress)}
        aria-label={`${t('tasks.columns.progress')}: ${task.name}`}
      />
    )
  }
  return (
    <span className="numeric">
      {total == null ? '–' : `${format.number(step)} / ${format.number(total)}`}
    </span>
  )
}

function useCells(): Record<SortKey, TableColumnsType<Task>[number]> {
  const { t } = useTranslation()
  const now = useNow()
  return {
    status: { width: 150, render: (_, task) => <StatusCell task={task} /> },
    name: { render: (_, task) => <NameCell task={task} /> },
    model: {
      width: 150,
      // Without the owner, whose name every model of a family repeats.
      render: (_, { model }) => (
        <span className="any-break" title={model.name}>
          {model.name.split('/').at(-1)}
        </span>
      ),
    },
    dataset: {
      width: 120,
      render: (_, { dataset }) => <Link to={paths.dataset(dataset.id)}>{dataset.name}</Link>,
    },
    method: { width: 100, render: (_, { method }) => t(`tasks.methods.${method}`) },
    progress: { width: 110, render: (_, task) => <ProgressCell task={task} /> },
    loss: {
      align: 'end',
      width: 90,
      className: 'numeric',
      render: (_, task) => <LossValue metrics={task.metrics} />,
    },
    took: {
      align: 'end',
      width: 100,
      render: (_, task) => <Duration seconds={tookSeconds(task, now)} />,
    },
    owner: { width: 110, render: (_, { owner }) => owner },
    created: {
      align: 'end',
      width: 120,
      render: (_, { created_at: at }) => <RelativeTime at={at} />,
    },
  }
}

export function TaskTable({ items, columns, sort, onSort, selected, onSelect }: Props) {
  const { t } = useTranslation()
  const cells = useCells()
  const onChange: TableProps<Task>['onChange'] = (_pages, _filters, sorter) => {
    const { columnKey, order } = Array.isArray(sorter) ? (sorter[0] ?? {}) : sorter
    onSort(order ? { key: columnKey as SortKey, descending: order === 'descend' } : null)
  }
  // Scrolled by its own frame: the table's way doubles the header, checkbox and all.
  return (
    <div style={{ overflowX: 'auto' }}>
      <Table<Task>
        rowKey="id"
        size="small"
        style={{ minWidth: 420 + columns.length * 90 }}
        dataSource={items}
        pagination={false}
        locale={{ emptyText: <span className="secondary">{t('general.noMatch')}</span> }}
        onChange={onChange}
        columns={(['status', 'name', ...columns] as const).map((key) => ({
          key,
          title: columnTitle(t, key),
          // The rows come sorted; the table only shows the arrows.
          sorter: true,
          showSorterTooltip: false,
          sortOrder: sort.key === key ? (sort.descending ? 'descend' : 'ascend') : null,
          ...cells[key],
        }))}
        rowSelection={{
          selectedRowKeys: [...selected],
          onChange: (keys) => onSelect(keys.map(String)),
          getCheckboxProps: ({ name }) => ({ 'aria-label': name }),
        }}
      />
    </div>
  )
}
