/** Where the result goes: a new version of the data set, or a data set of its own. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Radio } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { prepareDataset } from './api'
import { sentStep } from './request'
import type { Step } from './steps'
import { forgetSteps } from './use-step-list'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'

interface Props {
  dataset: Schemas['Dataset']
  /** The version that the steps begin with. */
  version: number
  steps: readonly Step[]
  /** Why it can not be started yet; empty when it can. */
  held: string
  onRefused: (error: unknown) => void
}

export function FinishForm({ dataset, version, steps, held, onRefused }: Props) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [target, setTarget] = useState<'version' | 'dataset'>('version')
  const [name, setName] = useState('')
  const [asked, setAsked] = useState(false)
  const isNew = target === 'dataset'
  const start = useMutation({
    mutationFn: () =>
      prepareDataset(dataset.id, {
        version,
        steps: steps.map(sentStep),
        ...(isNew && { name: name.trim() }),
      }),
    onSuccess: async (made) => {
      forgetSteps(dataset.id)
      await queries.invalidateQueries({ queryKey: ['datasets'] })
      message.success(t(isNew ? 'datasets.prepare.startedNew' : 'datasets.prepare.started'))
      void navigate(paths.dataset(made.id))
    },
    onError: onRefused,
  })
  const unnamed = isNew && name.trim() === ''
  const submit = () => {
    setAsked(true)
    if (!unnamed && !held) start.mutate()
  }
  return (
    <Form layout="vertical" onFinish={submit} className="finish">
      <Radio.Group
        value={target}
        onChange={({ target: { value } }) => setTarget(value as 'version' | 'dataset')}
        options={[
          { value: 'version', label: t('datasets.prepare.asVersion', { name: dataset.name }) },
          { value: 'dataset', label: t('datasets.prepare.asDataset') },
        ]}
        style={{ display: 'flex', flexDirection: 'column', gap: 4 }}
      />
      {isNew && (
        <Form.Item
          label={t('general.name')}
          htmlFor="prepare-name"
          validateStatus={asked && unnamed ? 'error' : ''}
          help={asked && unnamed ? t('errors.fields.missing') : undefined}
          style={{ margin: '8px 0 0' }}
        >
          <Input
            id="prepare-name"
            value={name}
            maxLength={200}
            onChange={({ target: { value } }) => setName(value)}
          />
        </Form.Item>
      )}
      <Button
        type="primary"
        htmlType="submit"
        loading={start.isPending}
        disabled={held !== ''}
        style={{ marginTop: 12 }}
      >
        {t(isNew ? 'datasets.prepare.makeDataset' : 'datasets.prepare.makeVersion')}
      </Button>
      {held && <div className="secondary step-help">{held}</div>}
    </Form>
  )
}
