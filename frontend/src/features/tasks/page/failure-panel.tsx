/** Why a run failed: what happened, what to do, and where the evidence stands. */
import { Alert, Button, Flex, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { resumeTask, restartTask, type Task } from '../api'
import { useTaskAction } from './task-actions'
import { originalWords, translateCode, translateHint } from '@/api/errors'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useFormat } from '@/i18n/format'

export function FailurePanel({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const action = useTaskAction()
  const { error } = task
  if (!error) return null
  const title = translateCode(t, { code: error.code, message: error.message, params: error.params })
  const original = originalWords(error.message)
  const again = task.resumable ? resumeTask : restartTask
  const smaller = smallerMicroBatch(task)
  const attempt = (body?: { micro_batch_size: number }) =>
    action.mutate({ task, run: () => again(task.id, body), expect: 'PENDING' })
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
            {smaller !== null && (
              <Button
                type="primary"
                loading={action.isPending}
                onClick={() => attempt({ micro_batch_size: smaller })}
              >
                {t(`tasks.failure.${task.resumable ? 'resumeSmaller' : 'restartSmaller'}`, {
                  size: format.number(smaller),
                })}
              </Button>
            )}
            <Button
              type={smaller === null ? 'primary' : 'default'}
              loading={smaller === null && action.isPending}
              onClick={() => attempt()}
            >
              {t(`tasks.actions.${task.resumable ? 'resume' : 'restart'}`)}
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

const OUT_OF_MEMORY = new Set(['out_of_memory', 'host_out_of_memory'])

/**
 * What may fit after memory ran out, with the same result: what the engine has worked out, else half
 * of what was asked for. Null where not even a single row fits.
 */
function smallerMicroBatch({ error, hyperparameters }: Task): number | null {
  if (!error || !OUT_OF_MEMORY.has(error.code)) return null
  const found = error.params?.micro_batch_size
  const { micro_batch_size: asked } = hyperparameters
  const half = typeof asked === 'number' ? Math.floor(asked / 2) : 0
  const size = typeof found === 'number' ? found : half
  return size >= 1 ? size : null
}

/** What a report of the failure should contain; no data, no paths. */
function diagnostics({ id, attempt, status, step, device_used, method, error }: Task): string {
  return JSON.stringify({ id, attempt, status, step, device: device_used, method, error }, null, 2)
}
