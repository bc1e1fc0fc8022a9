/** What waits for a person: failed runs of the last days, data and models in trouble, a full disk. */
import { ExclamationCircleFilled } from '@ant-design/icons'
import { useQueries, useQuery } from '@tanstack/react-query'
import { Card } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { paths, withQuery } from '../paths'
import type { Schemas } from '@/api/client'
import { translateCode } from '@/api/errors'
import { RelativeTime } from '@/components/relative-time'
import { useNow } from '@/components/use-now'
import { datasetListQuery } from '@/features/datasets/api'
import { modelListQuery } from '@/features/models/api'
import { liveTasksQuery, taskListQuery } from '@/features/tasks/api'
import { useFormat } from '@/i18n/format'

const LIMIT = 5
const RECENT_MS = 7 * 86_400_000
const TROUBLED = ['needs_mapping', 'blocked', 'failed'] as const

interface Need {
  key: string
  to: string
  name: string
  text: string
  at?: string | null
}

interface Props {
  facts?: Schemas['SystemFacts']
  /** How many runs have failed, ever. */
  failed: number
}

export function NeedsYou({ facts, failed }: Props) {
  const { t } = useTranslation()
  const needs = [...useHostNeeds(facts), ...useTaskNeeds(failed), ...useDataNeeds()]
  if (needs.length === 0) return null
  return (
    <Card size="small" title={t('overview.needsYou')}>
      <ul className="plain-list">
        {needs.map(({ key, to, name, text, at }) => (
          <li key={key} style={{ padding: '6px 0' }}>
            <ExclamationCircleFilled aria-hidden style={{ color: 'var(--ant-color-warning)' }} />{' '}
            <Link to={to} style={{ textDecoration: 'underline' }}>
              {name}
            </Link>{' '}
            <span>{text}</span>{' '}
            {at && (
              <span className="secondary">
                <RelativeTime at={at} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}

function useHostNeeds(facts?: Schemas['SystemFacts']): Need[] {
  const { t } = useTranslation()
  const format = useFormat()
  const needs: Need[] = []
  if (!facts) return needs
  const name = t('shell.nav.system')
  if (facts.disk.free_bytes < facts.disk.low_bytes) {
    const text = t('overview.lowDisk', { size: format.bytes(facts.disk.free_bytes) })
    needs.push({ key: 'disk', to: paths.system, name, text })
  }
  if (facts.supervisor === 'absent') {
    needs.push({ key: 'supervisor', to: paths.system, name, text: t('system.noSupervisor') })
  }
  return needs
}

function useTaskNeeds(failed: number): Need[] {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  const { data } = useQuery(taskListQuery({ status: ['FAILED'], limit: LIMIT }))
  const { data: live } = useQuery(liveTasksQuery())
  const recent = (data?.items ?? [])
    .filter(({ finished_at: at }) => at && now - Date.parse(at) < RECENT_MS)
    .map((task) => ({
      key: task.id,
      to: paths.task(task.id),
      name: task.name,
      text: task.error ? translateCode(t, task.error) : t('status.job.FAILED'),
      at: task.finished_at,
    }))
  const silent = (live?.items ?? []).flatMap(({ id, name, stalled_since: since }) =>
    since
      ? [
          {
            key: id,
            to: paths.task(id),
            name,
            text: t('overview.stalled', { since: format.relative(new Date(since), new Date(now)) }),
          },
        ]
      : [],
  )
  const more = failed - recent.length
  const rest =
    recent.length > 0 && more > 0
      ? [
          {
            key: 'failed',
            to: withQuery(paths.tasks, { status: 'FAILED' }),
            name: t('overview.moreFailed', { count: more }),
            text: '',
          },
        ]
      : []
  return [...silent, ...recent, ...rest]
}

function useDataNeeds(): Need[] {
  const { t } = useTranslation()
  const datasets = useQueries({
    queries: TROUBLED.map((status) => datasetListQuery({ status, limit: LIMIT })),
  }).flatMap(({ data }) => data?.items ?? [])
  const models = useQuery(modelListQuery({ status: 'failed', limit: LIMIT })).data?.items ?? []
  return [
    ...datasets.map((dataset) => ({
      key: dataset.id,
      to: paths.dataset(dataset.id),
      name: dataset.name,
      text: dataset.error
        ? translateCode(t, dataset.error)
        : t(`status.dataset.${dataset.status}`),
    })),
    ...models.map((model) => ({
      key: model.id,
      to: withQuery(paths.models, { q: model.name }),
      name: model.name,
      text: model.error ? translateCode(t, model.error) : t('status.model.failed'),
    })),
  ]
}
