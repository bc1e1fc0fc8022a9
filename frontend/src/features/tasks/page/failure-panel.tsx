/** Why a run failed: what happened, the evidence, what to do first, what else can be done. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Flex, Tag, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { checkpointsQuery, restartTask, resumeTask, type Again, type Task } from '../api'
import { diagnosticsOf } from './diagnostics'
import { FailureEvidence } from './failure-evidence'
import { kindOf, planOf, type NextStep } from './failure-plan'
import { useTaskAction } from './use-task-action'
import './failure-panel.css'
import { originalWords, translateCode, translateHint } from '@/api/errors'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { texts } from '@/i18n/language'
import { useFormat } from '@/i18n/format'

/** `brief`: beside other things than the summary, what happened and the way on have to do. */
export function FailurePanel({ task, brief = false }: { task: Task; brief?: boolean }) {
  const { t } = useTranslation()
  const { error } = task
  if (!error) return null
  const [first, ...others] = planOf(task)
  const kind = kindOf(error)
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      style={{ marginBottom: 16 }}
      title={
        <Flex gap={8} wrap align="baseline">
          <span>{translateCode(t, { code: error.code, message: error.message, params: error.params })}</span>
          <Tag title={t(`tasks.failure.kindHelp.${kind}`)}>{t(`tasks.failure.kinds.${kind}`)}</Tag>
        </Flex>
      }
      description={
        <Flex vertical gap={8} align="flex-start">
          {!brief && <Explanation task={task} error={error} />}
          <Flex gap={8} wrap>
            {first && <Step task={task} step={first} primary />}
            {!brief && (
              <>
                {others.map((step) => (
                  <Step key={step.kind} task={task} step={step} />
                ))}
                <LinkButton to={`${paths.task(task.id)}?tab=logs`}>{t('tasks.failure.showLog')}</LinkButton>
              </>
            )}
          </Flex>
          {!brief && (
            <Typography.Text className="mono" type="secondary">
              {error.code}
            </Typography.Text>
          )}
        </Flex>
      }
    />
  )
}

function Explanation({ task, error }: { task: Task; error: NonNullable<Task['error']> }) {
  const { t } = useTranslation()
  const original = originalWords(`${error.message} ${error.hint}`.trim())
  const cause = texts.exists(`tasks.failure.causes.${error.code}`)
    ? t(`tasks.failure.causes.${error.code}` as 'tasks.failure.causes.internal')
    : ''
  return (
    <>
      {cause && <span>{cause}</span>}
      <FailureEvidence task={task} />
      <span>{translateHint(t, error)}</span>
      {original && (
        <Typography.Text type="secondary">{t('errors.original', { message: original })}</Typography.Text>
      )}
    </>
  )
}

interface StepProps {
  task: Task
  step: NextStep
  primary?: boolean
}

/** One way on, as a button that says what it does. */
function Step({ task, step, primary = false }: StepProps) {
  const { t } = useTranslation()
  const format = useFormat()
  const type = primary ? 'primary' : 'default'
  switch (step.kind) {
    case 'lighter':
      return <Attempt task={task} body={step.body} primary={primary} resume={task.resumable} />
    case 'again':
      return <Attempt task={task} primary={primary} resume={task.resumable} />
    case 'restart':
      return <Attempt task={task} primary={primary} resume={false} />
    case 'clone':
      return (
        <LinkButton type={type} to={withQuery(paths.newTask, { clone: task.id })}>
          {t('tasks.actions.clone')}
        </LinkButton>
      )
    case 'line': {
      const { id, version, split } = task.dataset
      return (
        <LinkButton type={type} to={withQuery(paths.dataset(id), { version, split, line: step.line })}>
          {t('tasks.failure.fixLine', { line: format.number(step.line) })}
        </LinkButton>
      )
    }
    case 'models':
      return (
        <LinkButton type={type} to={withQuery(paths.models, { q: task.model.name })}>
          {t('tasks.failure.openModels')}
        </LinkButton>
      )
    case 'report':
      return <CopyReport task={task} primary={primary} />
  }
}

function Attempt({ task, body, primary, resume }: { task: Task; body?: Again; primary: boolean; resume: boolean }) {
  const { t } = useTranslation()
  const format = useFormat()
  const action = useTaskAction()
  const { data: checkpoints } = useQuery({ ...checkpointsQuery(task.id), enabled: resume })
  const from = checkpoints?.filter(({ exists }) => exists).at(-1)
  const act = resume ? resumeTask : restartTask
  const plain = resume
    ? from
      ? t('tasks.failure.resumeFrom', { step: format.number(from.step) })
      : t('tasks.actions.resume')
    : t('tasks.actions.restart')
  const size = body?.micro_batch_size
  const label = !body
    ? plain
    : size == null
      ? t(`tasks.failure.${resume ? 'resumeRecomputing' : 'restartRecomputing'}`)
      : t(`tasks.failure.${resume ? 'resumeSmaller' : 'restartSmaller'}`, { size: format.number(size) })
  return (
    <Button
      type={primary ? 'primary' : 'default'}
      style={{ height: 'auto', minHeight: 32, whiteSpace: 'normal' }}
      loading={primary && action.isPending}
      onClick={() => action.mutate({ task, run: () => act(task.id, body), expect: 'PENDING' })}
    >
      {label}
    </Button>
  )
}

function CopyReport({ task, primary }: { task: Task; primary: boolean }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { message } = App.useApp()
  // A page of plain HTTP on another host has no clipboard.
  if (!window.isSecureContext) return null
  const copy = async () => {
    const text = await diagnosticsOf(task, client)
    await navigator.clipboard.writeText(text).then(
      () => message.success(t('general.copied')),
      () => message.error(t('general.copyFailed')),
    )
  }
  return (
    <Button type={primary ? 'primary' : 'default'} onClick={() => void copy()}>
      {t('tasks.failure.copyReport')}
    </Button>
  )
}
