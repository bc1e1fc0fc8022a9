/** Why a run failed: what happened, what to do, and where the evidence stands. */
import { Alert, Button, Flex, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { resumeTask, restartTask, type Again, type Task } from '../api'
import { knobsOf } from '../wizard/knobs'
import { useTaskAction } from './task-actions'
import { originalWords, translateCode, translateHint } from '@/api/errors'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useFormat } from '@/i18n/format'

export function FailurePanel({ task }: { task: Task }) {
  const { t } = useTranslation()
  const action = useTaskAction()
  const { error } = task
  const label = useLighterLabel(task)
  if (!error) return null
  const title = translateCode(t, { code: error.code, message: error.message, params: error.params })
  const original = originalWords(`${error.message} ${error.hint}`.trim())
  const again = task.resumable ? resumeTask : restartTask
  const lighter = lighterAgain(task)
  const pointless = SAME_AGAIN.has(error.code)
  const attempt = (body?: Again) =>
    action.mutate({ task, run: () => again(task.id, body), expect: 'PENDING' })
  const clone = (
    <LinkButton
      type={pointless ? 'primary' : 'default'}
      to={withQuery(paths.newTask, { clone: task.id })}
    >
      {t('tasks.actions.clone')}
    </LinkButton>
  )
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      style={{ marginBottom: 16 }}
      title={title}
      description={
        <Flex vertical gap={8} align="flex-start">
          <span>{translateHint(t, error)}</span>
          {original && (
            <Typography.Text type="secondary">{t('errors.original', { message: original })}</Typography.Text>
          )}
          <Flex gap={8} wrap>
            {lighter && (
              <Button
                type="primary"
                style={{ height: 'auto', whiteSpace: 'normal' }}
                loading={action.isPending}
                onClick={() => attempt(lighter)}
              >
                {label(lighter)}
              </Button>
            )}
            {pointless && clone}
            <Button
              type={lighter || pointless ? 'default' : 'primary'}
              loading={!lighter && action.isPending}
              onClick={() => attempt()}
            >
              {t(`tasks.actions.${task.resumable ? 'resume' : 'restart'}`)}
            </Button>
            {!pointless && clone}
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

/** What comes out again unless data or settings change. */
const SAME_AGAIN = new Set(['bad_dataset', 'bad_spec', 'nan_loss'])

const OUT_OF_MEMORY = new Set(['out_of_memory', 'host_out_of_memory'])

/**
 * What may fit after memory ran out, with the same result: the micro-batch that the engine has worked
 * out, else half of it (automatic may be anything: one); where samples are computed singly already, their
 * activations computed twice. Null when nothing of that is left.
 */
function lighterAgain(task: Task): Again | null {
  const { error, hyperparameters } = task
  if (!error || !OUT_OF_MEMORY.has(error.code)) return null
  const found = error.params?.micro_batch_size
  const { micro_batch_size: asked = 'auto', gradient_checkpointing: recomputes } = hyperparameters
  const singly = !knobsOf(task).some(({ name }) => name === 'micro_batch_size')
  const half = asked === 'auto' ? 1 : Math.floor(asked / 2)
  const size = typeof found === 'number' ? found : singly ? 0 : half
  if (size >= 1) return { micro_batch_size: size }
  return recomputes ? null : { gradient_checkpointing: true }
}

function useLighterLabel({ resumable }: Task) {
  const { t } = useTranslation()
  const format = useFormat()
  return ({ micro_batch_size: size }: Again) =>
    size == null
      ? t(`tasks.failure.${resumable ? 'resumeRecomputing' : 'restartRecomputing'}`)
      : t(`tasks.failure.${resumable ? 'resumeSmaller' : 'restartSmaller'}`, { size: format.number(size) })
}

/** What a report of the failure should contain; no data, no paths. */
function diagnostics({ id, attempt, status, step, device_used, method, error }: Task): string {
  return JSON.stringify({ id, attempt, status, step, device: device_used, method, error }, null, 2)
}
