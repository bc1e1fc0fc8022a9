/** Why a run failed: what happened, what to do, and where the evidence stands. */
import { Alert, Button, Flex, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { resumeTask, restartTask, type Task } from '../api'
import { useTaskAction } from './task-actions'
import { originalWords, translateCode, translateHint } from '@/api/errors'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'

export function FailurePanel({ task }: { task: Task }) {
  const { t } = useTranslation()
  const action = useTaskAction()
  const { error } = task
  if (!error) return null
  const title = translateCode(t, { code: error.code, message: error.message, params: error.params })
  const original = originalWords(error.message)
  const again = task.resumable
    ? { label: t('tasks.actions.resume'), run: () => resumeTask(task.id) }
    : { label: t('tasks.actions.restart'), run: () => restartTask(task.id) }
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      style={{ marginBottom: 16 }}
      title={title}
      description={
        <Flex vertical gap={8} align="flex-start">
          {original && <span>{t('errors.original', { message: original })}</span>}
          <span>{translateHint(t, error)}</span>
          <Flex gap={8} wrap>
            <Button
              type="primary"
              loading={action.isPending}
              onClick={() => action.mutate({ task, run: again.run, expect: 'PENDING' })}
            >
              {again.label}
            </Button>
            <LinkButton to={withQuery(paths.newTask, { clone: task.id })}>
              {t('tasks.actions.clone')}
            </LinkButton>
            <LinkButton to={`${paths.task(task.id)}?tab=logs`}>
              {t('tasks.failure.showLog')}
            </LinkButton>
          </Flex>
          <Typography.Text className="mono" type="secondary" copyable={{ text: diagnostics(task) }}>
            {error.code}
          </Typography.Text>
        </Flex>
      }
    />
  )
}

/** What a report of the failure should contain; no data, no paths. */
function diagnostics({ id, attempt, status, step, device_used, method, error }: Task): string {
  return JSON.stringify({ id, attempt, status, step, device: device_used, method, error }, null, 2)
}
