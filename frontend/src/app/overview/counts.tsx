/** How much there is of everything; each figure leads to the list behind it. */
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { paths, withQuery } from '../paths'
import type { Schemas } from '@/api/client'
import { useFormat } from '@/i18n/format'

export function Counts({ counts }: { counts: Schemas['Overview'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { datasets, models, tasks } = counts
  const all = Object.values(tasks).reduce((sum, count) => sum + count, 0)
  const failed = tasks.FAILED ?? 0
  const active = (tasks.PREPARING ?? 0) + (tasks.RUNNING ?? 0) + (tasks.STOPPING ?? 0)
  const waiting = tasks.PENDING ?? 0
  const entries = [
    { to: paths.datasets, count: datasets, label: t('overview.datasets', { count: datasets }) },
    { to: paths.models, count: models, label: t('overview.models', { count: models }) },
    { to: paths.tasks, count: all, label: t('overview.runs', { count: all }) },
    {
      to: withQuery(paths.tasks, { status: 'PREPARING,RUNNING,STOPPING' }),
      count: active,
      label: t('overview.active', { count: active }),
    },
    {
      to: withQuery(paths.tasks, { status: 'PENDING' }),
      count: waiting,
      label: t('overview.queued', { count: waiting }),
    },
    {
      to: withQuery(paths.tasks, { status: 'COMPLETED' }),
      count: tasks.COMPLETED ?? 0,
      label: t('overview.completed', { count: tasks.COMPLETED ?? 0 }),
    },
    {
      to: withQuery(paths.tasks, { status: 'FAILED' }),
      count: failed,
      label: t('overview.failed', { count: failed }),
      color: failed ? 'var(--ant-color-error)' : undefined,
    },
  ]
  return (
    <nav className="counts" aria-label={t('overview.counts')}>
      {entries.map(({ to, count, label, color }) => (
        <Link key={label} to={to} className="count">
          <strong className="numeric" style={{ color }}>
            {format.number(count)}
          </strong>
          {label}
        </Link>
      ))}
    </nav>
  )
}
