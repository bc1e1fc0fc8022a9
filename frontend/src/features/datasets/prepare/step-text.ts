/** A step in one sentence: for the history of a version, as the server has kept it. */
import type { TFunction } from 'i18next'
import type { useFormat } from '@/i18n/format'

type Format = ReturnType<typeof useFormat>
type Kept = Record<string, unknown>

const record = (value: unknown): Kept =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Kept) : {}
const records = (value: unknown): Kept[] => (Array.isArray(value) ? value.map(record) : [])
const text = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

/** A field of a condition in words; a column beside the record by its name. */
export const fieldName = (t: TFunction, field: string): string =>
  field.startsWith('extra.')
    ? field.slice('extra.'.length)
    : t(`datasets.prepare.fields.${field}` as 'datasets.prepare.fields.text', { defaultValue: field })

const opName = (t: TFunction, op: string): string =>
  t(`datasets.prepare.ops.${op}` as 'datasets.prepare.ops.contains', { defaultValue: op })

export const findingName = (t: TFunction, finding: string): string =>
  t(`datasets.quality.findings.${finding}.title` as 'datasets.quality.findings.email.title', {
    defaultValue: finding.replaceAll('_', ' '),
  })

export const changeName = (t: TFunction, kind: string): string =>
  t(`datasets.prepare.changes.${kind}` as 'datasets.prepare.changes.trim', { defaultValue: kind })

function filterText(t: TFunction, format: Format, step: Kept): string {
  const conditions = records(step.conditions).map(({ field, op, value }) =>
    [fieldName(t, text(field)), opName(t, text(op)), Array.isArray(value) ? value.map(text).join(', ') : text(value)]
      .filter(Boolean)
      .join(' '),
  )
  const joined =
    step.match === 'any' ? conditions.join(` ${t('datasets.prepare.or')} `) : format.list(conditions)
  return t(step.keep === false ? 'datasets.prepare.said.filterOut' : 'datasets.prepare.said.filter', {
    conditions: joined,
  })
}

function sampleText(t: TFunction, format: Format, { rows, fraction }: Kept): string {
  if (typeof rows === 'number') return t('datasets.prepare.said.sampleRows', { n: format.number(rows) })
  const share = typeof fraction === 'number' ? format.percent(fraction, 1) : ''
  return t('datasets.prepare.said.sampleShare', { share })
}

function splitText(t: TFunction, format: Format, { by, fractions, rest, field }: Kept): string {
  const shares = Object.entries(record(fractions)).map(
    ([name, share]) => `${name} ${format.percent(Number(share), 1)}`,
  )
  const how = t(`datasets.prepare.by.${text(by)}` as 'datasets.prepare.by.random', { defaultValue: text(by) })
  return t('datasets.prepare.said.split', {
    how: field ? `${how} (${fieldName(t, text(field))})` : how,
    shares: [...shares, ...(rest ? [`${text(rest)} ${t('datasets.prepare.restShare')}`] : [])].join(' / '),
  })
}

/** `nameOf` gives the name of another data set by its id. */
export function stepText(t: TFunction, format: Format, step: Kept, nameOf: (id: string) => string): string {
  const names = () => format.list(records(step.sources).map((each) => nameOf(text(each.dataset_id))))
  switch (step.kind) {
    case 'filter':
      return filterText(t, format, step)
    case 'exclude': {
      const findings = Array.isArray(step.findings) ? step.findings.map((each) => findingName(t, text(each))) : []
      const rows = Array.isArray(step.rows) ? step.rows.length : 0
      const named = rows > 0 ? [t('datasets.prepare.said.namedRows', { count: rows })] : []
      return t('datasets.prepare.said.exclude', { what: format.list([...findings, ...named]) })
    }
    case 'map':
      return t('datasets.prepare.said.map', {
        changes: format.list(records(step.changes).map(({ kind }) => changeName(t, text(kind)))),
      })
    case 'sample':
      return sampleText(t, format, step)
    case 'shuffle':
      return t('datasets.prepare.said.shuffle')
    case 'concatenate':
      return t('datasets.prepare.said.concatenate', { names: names() })
    case 'mix':
      return t('datasets.prepare.said.mix', { names: names() })
    case 'split':
      return splitText(t, format, step)
    default:
      return text(step.kind)
  }
}
