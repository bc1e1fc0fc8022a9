/** The configuration of runs row by row, in words, and where they differ. */
import type { TFunction } from 'i18next'
import type { Task } from '../api'
import { knobNamed, knobsOf } from '../wizard/knobs'
import { knobLabel, valueText } from '../wizard/texts'
import { intentName } from '../intents'
import type { Schemas } from '@/api/client'
import type { useFormat } from '@/i18n/format'

export interface ConfigRow {
  key: string
  label: string
  /** One for each run. */
  values: string[]
  differs: boolean
}

type Format = ReturnType<typeof useFormat>
type Reader = [key: string, label: string, read: (task: Task) => string]

const NOTHING = '–'

function dataText(t: TFunction, data: Schemas['TaskData'] | null): string {
  if (!data) return NOTHING
  return [
    data.name,
    data.version && t('datasets.versions.number', { version: data.version }),
    data.split && t('wizard.sources.part', { name: data.split }),
  ]
    .filter(Boolean)
    .join(' · ')
}

function readers(t: TFunction, format: Format): Reader[] {
  const yesNo = (on: boolean) => t(on ? 'general.yes' : 'general.no')
  return [
    ['model', t('tasks.fields.model'), ({ model }) => model.name],
    ['dataset', t('tasks.fields.dataset'), ({ dataset }) => dataText(t, dataset)],
    ['validation', t('tasks.fields.validation'), (task) => dataText(t, task.validation_dataset)],
    ['intent', t('tasks.fields.intent'), ({ intent }) => intentName(t, intent)],
    ['objective', t('tasks.fields.objective'), (task) => t(`tasks.objectives.${task.objective}`)],
    ['method', t('tasks.fields.method'), (task) => t(`tasks.methods.${task.method}`)],
    ['device', t('wizard.method.device'), (task) => t(`wizard.method.devices.${task.device}`)],
    ['precision', t('wizard.method.precision'), ({ precision }) => (precision === 'auto' ? t('wizard.method.devices.auto') : precision)],
    ['deterministic', t('wizard.method.deterministic'), (task) => yesNo(task.deterministic)],
    [
      'processes',
      t('wizard.method.processes'),
      ({ distributed }) => format.number(distributed.processes ?? 1),
    ],
    [
      'template',
      t('wizard.method.chatTemplate'),
      (task) => (task.chat_template ? t('wizard.method.ownTemplate') : NOTHING),
    ],
  ]
}

/** What decides whether two runs differ: the whole value, not only the words for it. */
const whole: Record<string, (task: Task) => unknown> = {
  model: ({ model }) => model.id,
  dataset: ({ dataset }) => [dataset.id, dataset.version, dataset.split],
  validation: ({ validation_dataset: data }) => data && [data.id, data.version, data.split],
  template: ({ chat_template: template }) => template,
}

const idOf: Record<string, (task: Task) => string | undefined> = {
  model: ({ model }) => model.id,
  dataset: ({ dataset }) => dataset.id,
  validation: ({ validation_dataset: data }) => data?.id,
}

/** Different things with the same words, such as two data sets of one name: by the end of their ids. */
const toldApart = (key: string, values: string[], tasks: readonly Task[]): string[] =>
  values.map((value, n) => {
    const id = tasks[n] && idOf[key]?.(tasks[n])
    return id ? `${value} · …${id.slice(-6)}` : value
  })

const unequal = (values: unknown[]) => new Set(values.map((value) => JSON.stringify(value ?? null))).size > 1

/** Settings that do something in any of the runs, and those that this page has never heard of. */
function knobNames(tasks: readonly Task[]): string[] {
  const mattering = tasks.flatMap((task) =>
    knobsOf({ ...task, validation_dataset_id: task.validation_dataset?.id }).map(({ name }) => name),
  )
  const foreign = tasks.flatMap(({ hyperparameters }) =>
    Object.keys(hyperparameters).filter((name) => !knobNamed(name)),
  )
  return [...new Set([...mattering, ...foreign])]
}

export function configRows(t: TFunction, format: Format, tasks: readonly Task[]): ConfigRow[] {
  const facts = readers(t, format).map(([key, label, read]) => {
    const values = tasks.map(read)
    const differs = unequal(tasks.map(whole[key] ?? read))
    return { key, label, values: differs && !unequal(values) ? toldApart(key, values, tasks) : values, differs }
  })
  const knobs = knobNames(tasks).map((name) => {
    const knob = knobNamed(name)
    const raw = tasks.map(({ hyperparameters }) => (hyperparameters as Record<string, unknown>)[name])
    return {
      key: name,
      label: knobLabel(t, name),
      values: raw.map((value) =>
        value === undefined ? NOTHING : knob ? valueText(t, format, knob, value) : JSON.stringify(value),
      ),
      differs: unequal(raw),
    }
  })
  return [...facts, ...knobs]
}
