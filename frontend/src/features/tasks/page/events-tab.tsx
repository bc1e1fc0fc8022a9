/** Everything that happened to a run, newest first; by level when only trouble is wanted. */
import { useQuery } from '@tanstack/react-query'
import { Flex, Segmented, Tag, Timeline } from 'antd'
import { useTranslation } from 'react-i18next'
import { eventsQuery, type Task } from '../api'
import { eventText } from './event-text'
import { Lifecycle } from './lifecycle'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { RelativeTime } from '@/components/relative-time'
import { useSearchState } from '@/components/use-search-state'
import { useFormat } from '@/i18n/format'

const COLOUR = { info: 'blue', warning: 'orange', error: 'red' } as const
const LEVELS = ['info', 'warning', 'error'] as const
type Level = (typeof LEVELS)[number]

const levelOf = (text: string): Level => LEVELS.find((each) => each === text) ?? 'info'

export function EventsTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const [{ from }, set] = useSearchState({ from: 'info' })
  const { data, error, refetch } = useQuery(eventsQuery(task.id))
  if (error && !data) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton />
  if (data.length === 0) return <EmptyState title={t('tasks.events.none')} />
  const least = levelOf(from)
  const reached = (level: Level) => data.filter((each) => LEVELS.indexOf(each.level) >= LEVELS.indexOf(level))
  const shown = reached(least)
  return (
    <>
      <Lifecycle task={task} events={data} />
      <Segmented
        value={least}
        onChange={(level) => set({ from: level })}
        aria-label={t('tasks.events.levels')}
        options={LEVELS.map((level) => ({
          value: level,
          label: t(`tasks.events.from.${level}`, { count: reached(level).length }),
        }))}
      />
      {shown.length === 0 && <EmptyState title={t('tasks.events.noneOfLevel')} />}
      <Timeline
        style={{ marginTop: 16 }}
        items={shown.toReversed().map((event) => ({
          key: event.id,
          color: COLOUR[event.level],
          content: (
            <Flex gap={8} wrap align="baseline">
              {event.level !== 'info' && (
                <Tag color={COLOUR[event.level]}>{t(`tasks.events.names.${event.level}`)}</Tag>
              )}
              <span>{eventText(t, format, event)}</span>
              {task.attempt > 1 && <Tag>{t('tasks.logs.attempt', { number: event.attempt })}</Tag>}
              <span className="secondary">
                <RelativeTime at={event.at} />
              </span>
            </Flex>
          ),
        }))}
      />
    </>
  )
}
