/** The way of a run from the queue to its end, with the time of each turn. */
import { Steps } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Task } from '../api'
import type { Schemas } from '@/api/client'
import { useFormat } from '@/i18n/format'

type Event = Schemas['TaskEvent']
type Status = Task['status']

const WAY: readonly Status[] = ['PENDING', 'PREPARING', 'RUNNING', 'COMPLETED']

/** When the present attempt came to each state; it begins with the last time that it was queued. */
export function turnsOf(events: readonly Event[]): Map<string, string> {
  const moves = events.filter(({ type }) => type === 'transition')
  const begin = moves.findLastIndex(({ code }) => code === 'PENDING')
  return new Map(moves.slice(Math.max(0, begin)).map(({ code, at }) => [code, at]))
}

/** The states of the way: an end other than the usual one takes its place. */
export function wayOf(status: Status): readonly Status[] {
  if (status === 'FAILED' || status === 'STOPPED') return [...WAY.slice(0, -1), status]
  if (status === 'STOPPING') return [...WAY.slice(0, -1), 'STOPPING', 'STOPPED']
  return WAY
}

export function Lifecycle({ task, events }: { task: Task; events: readonly Event[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const turns = turnsOf(events)
  const way = wayOf(task.status)
  return (
    <Steps
      size="small"
      responsive
      titlePlacement="vertical"
      current={way.indexOf(task.status)}
      status={task.status === 'FAILED' ? 'error' : task.status === 'COMPLETED' ? 'finish' : 'process'}
      style={{ margin: '8px 0 16px', maxWidth: 720 }}
      items={way.map((status) => {
        const at = turns.get(status)
        return {
          title: t(`status.job.${status}`),
          content: at ? format.time(new Date(at)) : '',
        }
      })}
    />
  )
}
