/** Runs that are live or wait, each with where it stands. */
import { useQuery } from '@tanstack/react-query'
import { Progress } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { paths } from '../paths'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { JobStatusTag } from '@/components/status-tag'
import { liveTasksQuery } from '@/features/tasks/api'
import { queueText } from '@/features/tasks/queue-text'
import { useFormat } from '@/i18n/format'

export function RunningNow() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(liveTasksQuery())
  if (error && !data) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton />
  if (data.items.length === 0) {
    return (
      <EmptyState
        title={t('overview.nothingRuns')}
        actions={<LinkButton to={paths.newTask}>{t('shell.jump.actions.newTask')}</LinkButton>}
      />
    )
  }
  const order = (task: Schemas['Task']) => (task.status === 'PENDING' ? 1 : 0)
  const tasks = [...data.items].sort((a, b) => order(a) - order(b))
  return (
    <ul className="plain-list">
      {tasks.map((task) => (
        <li key={task.id}>
          <RunLine task={task} />
        </li>
      ))}
    </ul>
  )
}

function RunLine({ task }: { task: Schemas['Task'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const waiting = task.status === 'PENDING'
  const loss = task.metrics.loss
  const facts = waiting
    ? [
        queueText(t, format, task.queue),
      ]
    : [
        task.total_steps && `${format.number(task.step)} / ${format.number(task.total_steps)}`,
        loss != null && t('overview.loss', { value: format.value(loss) }),
        task.eta_s != null && t('overview.left', { time: format.about(task.eta_s) }),
      ]
  return (
    <Link to={paths.task(task.id)} className="run-line">
      <span className="run-line-head">
        <strong style={{ overflowWrap: 'anywhere' }}>{task.name}</strong>
        <JobStatusTag status={task.status} />
      </span>
      {!waiting && (
        <Progress
          percent={Math.round(task.progress * 100)}
          size="small"
          format={() => format.percent(task.progress)}
          aria-label={task.name}
        />
      )}
      <span className="secondary numeric" style={{ fontSize: 12 }}>
        {facts.filter(Boolean).join(' · ')}
      </span>
    </Link>
  )
}
