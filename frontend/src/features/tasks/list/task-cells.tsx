/** What stands in the cells of the list, and how wide they are. */
import { Progress, Tag } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { isLive, type Task } from '../api'
import { queueText } from '../queue-text'
import { tookSeconds, type ColumnKey } from './list-view'
import { NameCell } from './name-cell'
import { translateCode } from '@/api/errors'
import { paths, withQuery } from '@/app/paths'
import { LossValue } from '@/components/loss-value'
import { Duration } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { JobStatusTag } from '@/components/status-tag'
import { useNow } from '@/components/use-now'
import { useFormat } from '@/i18n/format'

export interface Cell {
  width: number
  /** Figures stand at the right. */
  figures?: boolean
  render: (task: Task) => ReactNode
}

/** The one line that says why: of a failure, of waiting, of silence. */
function useReason() {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  return ({ status, error, queue, stalled_since: stalled, retry_at: retryAt }: Task): string => {
    if (status === 'FAILED' && error) return translateCode(t, error)
    if (status === 'PENDING' && queue) return queueText(t, format, queue, retryAt)
    if (stalled && isLive({ status } as Task)) {
      return t('tasks.stalled.short', { since: format.relative(new Date(stalled), new Date(now)) })
    }
    return ''
  }
}

function StatusCell({ task }: { task: Task }) {
  const reason = useReason()(task)
  return (
    <>
      <JobStatusTag status={task.status} />
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

function BestCell({ best }: { best: Task['best_metric'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  if (!best) return '–'
  return (
    <span title={t('tasks.columns.bestAt', { step: format.number(best.step) })}>
      {format.value(best.value)}
    </span>
  )
}

export function useCells(): Record<ColumnKey, Cell> {
  const { t } = useTranslation()
  const now = useNow()
  return {
    status: { width: 130, render: (task) => <StatusCell task={task} /> },
    name: { width: 160, render: (task) => <NameCell task={task} /> },
    model: {
      width: 130,
      // Without the owner, whose name every model of a family repeats.
      render: ({ model }) => (
        <span className="any-break" title={model.name}>
          {model.name.split('/').at(-1)}
        </span>
      ),
    },
    dataset: {
      width: 105,
      render: ({ dataset }) => (
        <Link to={paths.dataset(dataset.id)} className="any-break">
          {dataset.name}
        </Link>
      ),
    },
    objective: { width: 150, render: ({ objective }) => t(`tasks.objectives.${objective}`) },
    method: { width: 100, render: ({ method }) => t(`tasks.methods.${method}`) },
    progress: { width: 108, render: (task) => <ProgressCell task={task} /> },
    loss: { width: 129, figures: true, render: ({ metrics }) => <LossValue metrics={metrics} /> },
    best: { width: 100, figures: true, render: ({ best_metric: best }) => <BestCell best={best} /> },
    duration: {
      width: 100,
      figures: true,
      render: (task) => <Duration seconds={tookSeconds(task, now)} />,
    },
    tags: {
      width: 140,
      render: ({ tags }) =>
        tags.map((tag) => (
          <Link key={tag} to={withQuery(paths.tasks, { tag })}>
            <Tag style={{ marginBottom: 2 }}>{tag}</Tag>
          </Link>
        )),
    },
    owner: { width: 110, render: ({ owner }) => <span className="any-break">{owner}</span> },
    created_at: {
      width: 128,
      figures: true,
      render: ({ created_at: at }) => <RelativeTime at={at} />,
    },
  }
}
