/** Draws nothing: keeps the tab's title and the notices in step with running work. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'react-router'
import { paths } from '../paths'
import { setTabTitle } from '@/components/tab-title'
import { useHidden } from '@/components/use-hidden'
import { useNewNotices } from '@/features/notices/use-new-notices'
import { liveTasksQuery, type Task } from '@/features/tasks/api'
import { useFormat } from '@/i18n/format'

const HIDDEN_REFRESH_MS = 15_000

/** `42 % · support-bot`, or of several runs together; nothing on the page of a run, which says it. */
function useProgress(tasks: Task[]): string {
  const { t } = useTranslation()
  const format = useFormat()
  const { pathname } = useLocation()
  const running = tasks.filter((task) => task.status === 'RUNNING')
  const [only] = running
  if (!only || tasks.some((task) => pathname === paths.task(task.id))) return ''
  const fraction = running.reduce((sum, task) => sum + task.progress, 0) / running.length
  const percent = format.percent(fraction)
  return running.length === 1
    ? t('notices.tab.one', { percent, name: only.name })
    : t('notices.tab.several', {
        percent,
        runs: t('shell.ring.running', { count: running.length }),
      })
}

export function NoticeWatch() {
  const client = useQueryClient()
  const hidden = useHidden()
  // The ring keeps it fresh while the tab is visible; the title is read while it is not.
  const { data } = useQuery({
    ...liveTasksQuery(),
    refetchInterval: ({ state }) =>
      hidden && state.data?.items.length ? HIDDEN_REFRESH_MS : false,
    refetchIntervalInBackground: true,
  })
  const tasks = data?.items ?? []
  const progress = useProgress(tasks)
  useEffect(() => setTabTitle({ progress }), [progress])
  useEffect(() => () => setTabTitle({ progress: '', marked: false }), [])

  const ids = data?.items.map(({ id }) => id).join(' ')
  const before = useRef<string | undefined>(undefined)
  useEffect(() => {
    // A run that is no longer among the live ones has ended: there is something to be told.
    const gone = before.current?.split(' ').some((id) => id && !ids?.includes(id))
    before.current = ids
    if (gone) void client.invalidateQueries({ queryKey: ['notices', 'newest'] })
  }, [ids, client])

  useNewNotices(tasks.length > 0)
  return null
}
