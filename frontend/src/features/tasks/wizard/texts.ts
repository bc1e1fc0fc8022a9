/** Words for what the schema and the server name by code; the server's own sentence when new. */
import type { TFunction } from 'i18next'
import type { Problem } from './check'
import { isEmpty, knobNamed, type Knob } from './knobs'
import type { Schemas } from '@/api/client'
import { fieldErrorSentence, type FieldError, type Params } from '@/api/errors'
import { countOf } from '@/i18n/counted'
import type { useFormat } from '@/i18n/format'

export type Format = ReturnType<typeof useFormat>

/** A key that is only known at run time, with what to say when the language files lack it. */
function lookUp(t: TFunction, key: string, fallback: string, params: Params = {}): string {
  return t(key as 'wizard.title', { ...params, defaultValue: fallback })
}

export const knobLabel = (t: TFunction, name: string): string =>
  lookUp(t, `knobs.names.${name}.label`, name)

export const knobHelp = (t: TFunction, knob: Knob): string =>
  lookUp(t, `knobs.names.${knob.name}.help`, knob.description)

export const knobUnit = (t: TFunction, { unit }: Knob): string | undefined =>
  unit && lookUp(t, `knobs.units.${unit}`, unit)

export const emptyText = (t: TFunction, { name, empty }: Knob): string =>
  empty === undefined ? '' : lookUp(t, `knobs.empty.${name}`, empty ?? '')

export const choiceText = (t: TFunction, choice: string): string =>
  lookUp(t, `knobs.choices.${choice}`, choice)

/** A value as people write it: small numbers as 2e-4, what is empty by its meaning. */
export function valueText(t: TFunction, format: Format, knob: Knob, value: unknown): string {
  if (isEmpty(knob, value)) return emptyText(t, knob) || '–'
  if (typeof value === 'boolean') return t(value ? 'wizard.method.on' : 'wizard.method.off')
  if (knob.kind === 'integer') return format.number(Number(value))
  if (knob.kind === 'number') return format.value(Number(value))
  if (Array.isArray(value)) return value.join(', ')
  return choiceText(t, String(value))
}

/** What a field takes: `16 to 1,048,576`; empty when anything goes. */
export function rangeText(t: TFunction, format: Format, knob: Knob): string {
  const text = (value: number) => (knob.kind === 'integer' ? format.number(value) : format.value(value))
  const { atLeast, moreThan, atMost, lessThan } = knob
  if (moreThan !== undefined && atMost !== undefined) {
    return t('wizard.method.above', { low: text(moreThan), high: text(atMost) })
  }
  if (atLeast !== undefined && lessThan !== undefined) {
    return t('wizard.method.below', { low: text(atLeast), high: text(lessThan) })
  }
  if (atLeast !== undefined && atMost !== undefined) {
    return t('wizard.method.range', { low: text(atLeast), high: text(atMost) })
  }
  return atLeast === undefined ? '' : t('wizard.method.from', { low: text(atLeast) })
}

export function problemText(t: TFunction, format: Format, { code, params }: Problem): string {
  const shown = Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key, format.value(value)]),
  )
  return t(`wizard.problems.${code}`, shown as { max: string; limit: string })
}

/** Figures of the server as people read them: `needed_bytes` as a size, counts grouped. */
function shownParams(format: Format, params: Params): Params {
  const shown = Object.entries(params).map(([key, value]) => {
    if (typeof value !== 'number') return [key, value] as const
    if (key.endsWith('_bytes')) return [key, format.bytes(value)] as const
    return [key, key === 'num_parameters' ? format.parameters(value) : format.number(value)] as const
  })
  return Object.fromEntries(shown)
}

type Recommendation = Schemas['Recommendation'] | undefined

/** Why a value is recommended; empty when this version has no words for it. */
export function reasonText(t: TFunction, format: Format, from: Recommendation, field: string) {
  const code = from?.reasons[field]
  return code ? lookUp(t, `wizard.reasons.${code}`, '', shownParams(format, from.params)) : ''
}

export const findingText = (t: TFunction, format: Format, finding: Schemas['Finding']): string =>
  lookUp(t, `wizard.findings.${finding.code}`, finding.message, {
    ...shownParams(format, finding.params),
    ...countOf(finding.code, finding.params),
  })

/** What the server says about a field. */
export const refusalText = (t: TFunction, format: Format, error: FieldError): string =>
  lookUp(
    t,
    `wizard.findings.${error.code}`,
    fieldErrorSentence(t, error),
    shownParams(format, error.params),
  )

export const memoryPartText = (t: TFunction, name: string): string =>
  lookUp(t, `wizard.memory.${name}`, name)

export const deviceText = (t: TFunction, name: string): string =>
  lookUp(t, `wizard.method.devices.${name}`, name)

const FIELD_LABELS = {
  name: 'wizard.goal.name',
  output_name: 'wizard.goal.output',
  description: 'wizard.goal.description',
  intent: 'wizard.goal.intent',
  model_id: 'wizard.sources.model',
  dataset_id: 'wizard.sources.dataset',
  validation_dataset_id: 'wizard.sources.validation',
  complexity: 'wizard.method.complexity',
  method: 'wizard.method.method',
  device: 'wizard.method.device',
  objective: 'wizard.objective.label',
  precision: 'wizard.method.precision',
  deterministic: 'wizard.method.deterministic',
  chat_template: 'wizard.method.chatTemplate',
  'distributed.processes': 'wizard.method.processes',
  'distributed.strategy': 'wizard.method.strategy',
} as const

/** What a field is called where it is not in view. */
export function fieldLabel(t: TFunction, field: string): string {
  const knob = knobNamed(field.replace(/^hyperparameters\./, ''))
  if (knob) return knobLabel(t, knob.name)
  return field in FIELD_LABELS ? t(FIELD_LABELS[field as keyof typeof FIELD_LABELS]) : field
}
