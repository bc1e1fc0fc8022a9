/** Step 4: everything in one view, before anything is started. */
import { CopyOutlined, DownloadOutlined } from '@ant-design/icons'
import { App, Button, Descriptions, Flex, Tag, Typography, type DescriptionsProps } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { intentName } from '../intents'
import { STEPS, type StepIndex } from './check'
import { apiCallOf, runFileOf } from './export'
import { Findings } from './findings'
import { sameValue } from './knobs'
import { RISK } from './left'
import { useKnobs } from './measured-with'
import { MemoryRisk } from './memory-risk'
import { isChanged } from './state'
import { knobLabel, valueText } from './texts'
import { usePart, useRows } from './use-part'
import type { Wizard } from './use-wizard'
import { ownTemplate } from './values'
import { useFormat } from '@/i18n/format'

interface SectionProps {
  wizard: Wizard
  step: StepIndex
  items: DescriptionsProps['items']
}

function Section({ wizard, step, items }: SectionProps) {
  const { t } = useTranslation()
  const title = t(`wizard.steps.${STEPS[step]}`)
  return (
    <Descriptions
      size="small"
      bordered
      classNames={{ label: 'fact-label' }}
      column={{ xs: 1, md: 2 }}
      title={<Typography.Title level={3} style={{ margin: 0 }}>{title}</Typography.Title>}
      extra={
        <Button
          size="small"
          aria-label={t('wizard.review.editStep', { step: title })}
          onClick={() => wizard.goTo(step)}
        >
          {t('wizard.review.edit')}
        </Button>
      }
      items={items}
    />
  )
}

function Elsewhere({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const { values } = wizard.state
  const rows = useRows(wizard)
  const copy = () =>
    navigator.clipboard.writeText(apiCallOf(values, window.location.origin)).then(
      () => message.success(t('wizard.review.copied')),
      () => message.error(t('general.copyFailed')),
    )
  const download = () => {
    const text = runFileOf(values, wizard.models, wizard.datasets, rows)
    const url = URL.createObjectURL(new Blob([text], { type: 'application/yaml' }))
    const link = document.createElement('a')
    link.href = url
    link.download = `${values.output_name}.yaml`
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <Flex gap={8} wrap>
      {/* A page of plain HTTP on another host has no clipboard. */}
      {window.isSecureContext && (
        <Button size="small" icon={<CopyOutlined aria-hidden />} onClick={() => void copy()}>
          {t('wizard.review.copyCall')}
        </Button>
      )}
      <Button size="small" icon={<DownloadOutlined aria-hidden />} onClick={download}>
        {t('wizard.review.downloadYaml')}
      </Button>
    </Flex>
  )
}

export function StepReview({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { state, models, datasets, plan } = wizard
  const { values } = state
  const [all, setAll] = useState(false)
  const knobs = useKnobs(wizard)
  const shown = knobs.filter(
    ({ name, group, initial }) =>
      all || group === 'basic' || !sameValue(values.hyperparameters[name], initial),
  )
  const { processes, strategy } = values.distributed
  const nameOf = (items: { id: string; name: string }[] | undefined, id: string | null) =>
    items?.find((each) => each.id === id)?.name ?? id ?? '–'
  const part = usePart(wizard)
  const rowsOf = (version: number | null, split: string | null) =>
    [
      ...(version === null ? [] : [t('datasets.versions.number', { version })]),
      ...(split === null ? [] : [t('wizard.sources.part', { name: split })]),
    ]
      .map((each) => ` · ${each}`)
      .join('')
  return (
    <Flex vertical gap={20}>
      <MemoryRisk wizard={wizard} />
      <Findings findings={(plan.estimate?.warnings ?? []).filter(({ code }) => code !== RISK)} />
      <Section
        wizard={wizard}
        step={0}
        items={[
          { key: 'name', label: t('wizard.goal.name'), children: values.name },
          { key: 'intent', label: t('tasks.fields.intent'), children: intentName(t, values.intent) },
          { key: 'output', label: t('wizard.goal.output'), children: <span className="mono">{values.output_name}</span> },
          { key: 'description', label: t('wizard.goal.description'), children: values.description || '–' },
        ]}
      />
      <Section
        wizard={wizard}
        step={1}
        items={[
          { key: 'model', label: t('wizard.sources.model'), children: nameOf(models, values.model_id) },
          { key: 'data', label: t('wizard.sources.dataset'), children: `${nameOf(datasets, values.dataset_id)}${rowsOf(values.dataset_version, part.train)}` },
          { key: 'objective', label: t('tasks.fields.objective'), children: t(`tasks.objectives.${values.objective}`) },
          {
            key: 'validation',
            label: t('wizard.sources.validation'),
            children: values.validation_dataset_id
              ? `${nameOf(datasets, values.validation_dataset_id)}${rowsOf(values.validation_version, values.validation_split)}`
              : part.validation
                ? t('wizard.sources.part', { name: part.validation })
                : t('wizard.sources.validationNone'),
          },
        ]}
      />
      <Section
        wizard={wizard}
        step={2}
        items={[
          { key: 'method', label: t('tasks.fields.method'), children: t(`tasks.methods.${values.method}`) },
          { key: 'device', label: t('wizard.method.device'), children: t(`wizard.method.devices.${values.device}`) },
          ...(processes > 1
            ? [
                {
                  key: 'processes',
                  label: t('wizard.method.processes'),
                  children: `${format.number(processes)} · ${t(`wizard.method.strategies.${strategy}`)}`,
                },
              ]
            : []),
          ...(values.precision === 'auto'
            ? []
            : [{ key: 'precision', label: t('wizard.method.precision'), children: values.precision }]),
          ...(values.deterministic
            ? [{ key: 'deterministic', label: t('wizard.method.deterministic'), children: t('wizard.method.on') }]
            : []),
          ...(ownTemplate(values)
            ? [{ key: 'template', label: t('wizard.method.chatTemplate'), children: t('wizard.method.ownTemplate') }]
            : []),
          ...shown.map((knob) => ({
            key: knob.name,
            label: knobLabel(t, knob.name),
            children: (
              <span className="numeric">
                {valueText(t, format, knob, values.hyperparameters[knob.name])}{' '}
                {isChanged(state, knob.name) && <Tag color="blue">{t('wizard.method.changed')}</Tag>}
              </span>
            ),
          })),
        ]}
      />
      {knobs.length > shown.length && (
        <Button type="text" style={{ alignSelf: 'flex-start' }} onClick={() => setAll(true)}>
          {t('wizard.review.showAll', { count: knobs.length - shown.length })}
        </Button>
      )}
      <Elsewhere wizard={wizard} />
    </Flex>
  )
}
