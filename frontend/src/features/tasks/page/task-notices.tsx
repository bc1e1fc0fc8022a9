/** What somebody who opens a run should know first: silence, a retry to come, an end that was found later. */
import { Alert, Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { isLive, stopTask, type Task } from '../api'
import { useTaskAction } from './use-task-action'
import { useNow } from '@/components/use-now'
import { useFormat } from '@/i18n/format'

const box = { marginBottom: 16 } as const

function RetryNotice({ task, at }: { task: Task; at: string }) {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  const action = useTaskAction()
  const seconds = Math.max(0, (Date.parse(at) - now) / 1000)
  return (
    <Alert
      type="info"
      showIcon
      role="status"
      style={box}
      title={t('tasks.retry.title', {
        number: format.number((task.retries ?? 0) || 1),
        most: format.number(task.automatic_retries ?? 0),
      })}
      description={
        <Flex gap={8} wrap align="center">
          <span>
            {seconds > 0 ? t('tasks.retry.when', { duration: format.duration(seconds) }) : t('tasks.retry.soon')}
          </span>
          <Button
            size="small"
            loading={action.isPending}
            onClick={() => action.mutate({ task, run: () => stopTask(task.id, false), expect: 'STOPPED' })}
          >
            {t('tasks.retry.cancel')}
          </Button>
        </Flex>
      }
    />
  )
}

function StoppedNotice({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const detail = task.resumable ? 'kept' : task.step > 0 ? 'lost' : 'never'
  return (
    <Alert
      type="info"
      showIcon
      role="status"
      style={box}
      title={t('tasks.stopped.title', { step: format.number(task.step) })}
      description={t(`tasks.stopped.${detail}`)}
    />
  )
}

export function TaskNotices({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  const { stalled_since: stalled, retry_at: retryAt, recovered, failures } = task
  return (
    <>
      {stalled && isLive(task) && (
        <Alert
          type="warning"
          showIcon
          role="status"
          style={box}
          title={t('tasks.stalled.title', { since: format.relative(new Date(stalled), new Date(now)) })}
          description={t('tasks.stalled.detail')}
        />
      )}
      {retryAt && task.status === 'PENDING' && <RetryNotice task={task} at={retryAt} />}
      {task.status === 'STOPPED' && <StoppedNotice task={task} />}
      {recovered && !isLive(task) && (
        <Alert type="info" showIcon style={box} title={t('tasks.recovered.title')} description={t('tasks.recovered.detail')} />
      )}
      {failures && failures.infrastructure > 0 && task.status !== 'FAILED' && (
        <p className="secondary">
          {t('tasks.retry.failuresBefore', { count: failures.infrastructure })}
        </p>
      )}
    </>
  )
}
