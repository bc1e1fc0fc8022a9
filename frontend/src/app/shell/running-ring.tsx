/** The ring in the bar: running work and how far it is, from every page. */
import { useQuery } from '@tanstack/react-query'
import { Button, Flex, Popover, Progress } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { paths } from '../paths'
import { JobStatusTag } from '@/components/status-tag'
import { liveTasksQuery } from '@/features/tasks/api'
import { useFormat } from '@/i18n/format'

export function RunningRing() {
  const { t } = useTranslation()
  const format = useFormat()
  const [open, setOpen] = useState(false)
  const { data } = useQuery(liveTasksQuery())
  const tasks = data?.items ?? []
  const waiting = tasks.filter((task) => task.status === 'PENDING')
  const running = tasks.filter((task) => task.status !== 'PENDING')
  const fraction = running.reduce((sum, task) => sum + task.progress, 0) / (running.length || 1)
  const label = [
    running.length ? t('shell.ring.running', { count: running.length }) : undefined,
    waiting.length ? t('shell.ring.queued', { count: waiting.length }) : undefined,
  ]
    .filter(Boolean)
    .join(' · ')
  const shown = running.length > 0 ? format.percent(fraction) : ''
  // What the button shows is part of its name.
  const name = [shown, label || t('shell.ring.idle')].filter(Boolean).join(' · ')
  const close = () => setOpen(false)

  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      trigger="click"
      placement="bottomRight"
      title={label || t('shell.ring.idle')}
      content={
        <Flex vertical gap={12} style={{ width: 300 }}>
          {tasks.slice(0, 8).map((task) => (
            <Link key={task.id} to={paths.task(task.id)} onClick={close}>
              <Flex justify="space-between" gap={8}>
                <span style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>{task.name}</span>
                <JobStatusTag status={task.status} />
              </Flex>
              {task.status !== 'PENDING' && (
                <Progress
                  percent={Math.round(task.progress * 100)}
                  size="small"
                  format={(percent) => format.percent((percent ?? 0) / 100)}
                />
              )}
            </Link>
          ))}
          <Link to={paths.tasks} onClick={close}>
            {t('shell.ring.all')}
          </Link>
        </Flex>
      }
    >
      <Button
        type="text"
        aria-label={name}
        icon={
          <span aria-hidden>
            <Progress
              type="circle"
              size={18}
              strokeWidth={14}
              showInfo={false}
              percent={running.length ? Math.max(3, fraction * 100) : 0}
            />
          </span>
        }
      >
        {shown && <span className="numeric">{shown}</span>}
      </Button>
    </Popover>
  )
}
