/** Which comparisons suit a field, and what becomes of a value when field or comparison change. Pure. */
import type { Condition } from '../steps'

type Op = Condition['op']

const NUMBERS = new Set(['turns', 'characters', 'line'])
const FIELDS = ['text', 'prompt', 'answer', 'system', 'label', 'turns', 'characters', 'line', 'split']

export const fieldNames = (columns: readonly string[]): string[] => [
  ...FIELDS,
  ...columns.map((column) => `extra.${column}`),
]

const TEXT_OPS: readonly Op[] = ['contains', 'not_contains', 'equals', 'not_equals', 'one_of', 'matches']
const GAP_OPS: readonly Op[] = ['missing', 'present']
const NUMBER_OPS: readonly Op[] = ['at_least', 'at_most', 'equals', 'not_equals']

/** Holds texts in one file and figures in another. */
const holdsAnything = (field: string) => field === 'label' || field.startsWith('extra.')

export function opsOf(field: string): readonly Op[] {
  if (NUMBERS.has(field)) return NUMBER_OPS
  if (!holdsAnything(field)) return [...TEXT_OPS, ...GAP_OPS]
  // What is written like a number may stand there as one, or as a text: “not equal” would be neither.
  return [...TEXT_OPS.filter((op) => op !== 'not_equals'), 'at_least', 'at_most', ...GAP_OPS]
}

/** What kind of value a comparison takes. */
export function valueKind(field: string, op: Op): 'none' | 'list' | 'number' | 'text' {
  if (op === 'missing' || op === 'present') return 'none'
  if (op === 'one_of') return 'list'
  return NUMBERS.has(field) ? 'number' : 'text'
}

const EMPTY = { none: null, number: null, text: '' } as const

export const folds = (op: Op) => op === 'contains' || op === 'not_contains' || op === 'matches'

/** A value of the same kind is kept. */
function changed(before: Condition, field: string, op: Op): Condition {
  const kind = valueKind(field, op)
  const same = valueKind(before.field, before.op) === kind
  return {
    field,
    op,
    value: same ? before.value : kind === 'list' ? [] : EMPTY[kind],
    ignore_case: folds(op) && (folds(before.op) ? before.ignore_case : true),
  }
}

export function withField(before: Condition, field: string): Condition {
  const ops = opsOf(field)
  return changed(before, field, ops.includes(before.op) ? before.op : (ops[0] ?? 'equals'))
}

export const withOp = (before: Condition, op: Op): Condition => changed(before, before.field, op)

type Plain = string | number | boolean

/** What somebody types may stand in the file as a text, as a number, or as true and false. */
function spellings(text: string): Plain[] {
  const trimmed = text.trim()
  if (trimmed !== '' && Number.isFinite(Number(trimmed))) return [text, Number(trimmed)]
  if (trimmed === 'true' || trimmed === 'false') return [text, trimmed === 'true']
  return [text]
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

/** As it is sent: in fields that hold anything, a value is meant in each of its spellings. */
export function meant(condition: Condition): Condition {
  const { field, op, value } = condition
  if (!holdsAnything(field)) return condition
  if ((op === 'at_least' || op === 'at_most') && typeof value === 'string') {
    const number = Number(value.trim())
    return { ...condition, value: value.trim() !== '' && Number.isFinite(number) ? number : value }
  }
  if (op !== 'equals' && op !== 'one_of') return condition
  const typed: unknown[] = Array.isArray(value) ? value : [value]
  const all = typed
    .filter(isPlain)
    .flatMap((each) => (typeof each === 'string' ? spellings(each) : [each]))
  return all.length > 1 || op === 'one_of' ? { ...condition, op: 'one_of', value: [...new Set(all)] } : condition
}
