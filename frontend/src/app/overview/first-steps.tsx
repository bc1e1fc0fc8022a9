/**
 * The guided run for a first visit: starter model, sample data, training, talking to the result.
 * Each step does its work with one button and ticks itself off.
 */
import { CheckOutlined, CloseOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card } from 'antd'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { paths, withQuery } from '../paths'
import type { Schemas } from '@/api/client'
import { LinkButton } from '@/components/link-button'
import { DatasetStatusTag, JobStatusTag, ModelStatusTag } from '@/components/status-tag'
import { useShowError } from '@/components/use-show-error'
import { addExample, datasetListQuery, examplesQuery } from '@/features/datasets/api'
import { addModel, modelListQuery } from '@/features/models/api'
import { taskListQuery } from '@/features/tasks/api'

const HIDDEN_KEY = 'easytune.first-steps'
const EXAMPLE = 'customer-service'

/** The card stays until a run is complete and one more was started, or it is hidden. */
export function FirstSteps({ counts }: { counts: Schemas['Overview'] }) {
  const [hidden, setHidden] = useState(() => localStorage.getItem(HIDDEN_KEY) === 'hidden')
  const runs = Object.values(counts.tasks).reduce((sum, count) => sum + count, 0)
  if (hidden || ((counts.tasks.COMPLETED ?? 0) > 0 && runs > 1)) return null
  const hide = () => {
    localStorage.setItem(HIDDEN_KEY, 'hidden')
    setHidden(true)
  }
  return <Guide onHide={hide} />
}

function Guide({ onHide }: { onHide: () => void }) {
  const { t } = useTranslation()
  const models = useQuery(modelListQuery({ limit: 50 })).data?.items
  const datasets = useQuery(datasetListQuery({ limit: 50 })).data?.items
  const tasks = useQuery(taskListQuery({ limit: 50 })).data?.items
  // A button that vanishes again would be a lie about what is there.
  if (!models || !datasets || !tasks) return null
  // What is ready counts; else what is on its way is shown.
  const model = models.find(({ status }) => status === 'ready') ?? models[0]
  const dataset = datasets.find(({ status }) => status === 'ready') ?? datasets[0]
  const done = tasks.find(({ status }) => status === 'COMPLETED')
  const task = done ?? tasks[0]
  const ready = model?.status === 'ready' && dataset?.status === 'ready'

  return (
    <Card
      size="small"
      title={t('overview.first.title')}
      extra={
        <Button type="text" size="small" icon={<CloseOutlined />} onClick={onHide}>
          {t('overview.first.hide')}
        </Button>
      }
    >
      <p className="secondary" style={{ marginTop: 0 }}>
        {t('overview.first.purpose')}
      </p>
      <ol className="first-steps">
        <Step number={1} name="model" done={model?.status === 'ready'}>
          {model ? <ModelStatusTag status={model.status} /> : <AddStarter />}
        </Step>
        <Step number={2} name="data" done={dataset?.status === 'ready'}>
          {dataset ? <DatasetStatusTag status={dataset.status} /> : <AddSample />}
        </Step>
        <Step number={3} name="train" done={Boolean(done)}>
          {task ? (
            <LinkButton size="small" to={paths.task(task.id)}>
              <JobStatusTag status={task.status} />
            </LinkButton>
          ) : (
            <LinkButton
              type={ready ? 'primary' : 'default'}
              disabled={!ready}
              to={withQuery(paths.newTask, { model: model?.id, dataset: dataset?.id })}
            >
              {t('overview.first.train.action')}
            </LinkButton>
          )}
        </Step>
        <Step number={4} name="talk" done={false}>
          <LinkButton
            type={done ? 'primary' : 'default'}
            disabled={!done}
            to={withQuery(paths.playground, { task: done?.id })}
          >
            {t('overview.first.talk.action')}
          </LinkButton>
        </Step>
      </ol>
    </Card>
  )
}

interface StepProps {
  number: number
  name: 'model' | 'data' | 'train' | 'talk'
  done: boolean
  children: ReactNode
}

function Step({ number, name, done, children }: StepProps) {
  const { t } = useTranslation()
  return (
    <li className="first-step">
      <span>
        <span
          className="first-step-number"
          style={done ? { color: 'var(--ant-color-success)', borderColor: 'currentcolor' } : {}}
        >
          {done ? <CheckOutlined aria-label={t('overview.first.done')} /> : number}
        </span>
        <strong>{t(`overview.first.${name}.title`)}</strong>
      </span>
      <span className="secondary">{t(`overview.first.${name}.detail`)}</span>
      <div style={{ marginTop: 'auto' }}>{children}</div>
    </li>
  )
}

function AddStarter() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const add = useMutation({
    mutationFn: () => addModel({ source: 'starter', reference: '' }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
    onError: useShowError(),
  })
  return (
    <Button type="primary" loading={add.isPending} onClick={() => add.mutate()}>
      {t('overview.first.model.action')}
    </Button>
  )
}

function AddSample() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data: examples } = useQuery(examplesQuery())
  const example = examples?.find(({ id }) => id === EXAMPLE) ?? examples?.[0]
  const add = useMutation({
    mutationFn: (id: string) => addExample(id),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['datasets'] }),
    onError: useShowError(),
  })
  return (
    <Button
      type="primary"
      disabled={!example}
      loading={add.isPending}
      onClick={() => example && add.mutate(example.id)}
    >
      {t('overview.first.data.action')}
    </Button>
  )
}
