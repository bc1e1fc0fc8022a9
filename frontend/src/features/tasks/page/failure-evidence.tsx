/** The lines of the log that show a failure, word for word, each with its own address. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { evidenceOf } from './evidence-lines'
import { failureLogQuery, type Task } from '../api'
import { paths } from '@/app/paths'

export function FailureEvidence({ task }: { task: Task }) {
  const { t } = useTranslation()
  const { data } = useQuery(failureLogQuery(task))
  const lines = evidenceOf(data?.items ?? [], task.error?.log_line ?? null)
  if (lines.length === 0) return null
  return (
    <figure style={{ margin: 0, width: '100%' }}>
      <figcaption className="secondary">{t('tasks.failure.evidence')}</figcaption>
      <ol className="evidence mono">
        {lines.map(({ id, number, text }) => (
          <li key={id}>
            <Link
              to={`${paths.task(task.id)}?tab=logs&attempt=${task.attempt}#L${number}`}
              aria-label={t('tasks.failure.line', { number })}
              className="evidence-number numeric"
            >
              {number}
            </Link>
            <span>{text}</span>
          </li>
        ))}
      </ol>
    </figure>
  )
}
