/** Which comparisons suit a field, and what becomes of a value when field or comparison change. Pure. */
import type { Condition } from '../steps'

type Op = Condition['op']

const NUMBERS = new Set(['turns', 'characters', 'line'])
const FIELDS = ['text', 'prompt', 'answer', 'system', 'label', 'turns', 'characters', 'line', 'split']

export const fieldNames = (columns: readonly string[]): string[] => [
  ...FIELDS,
  ...columns.map((column) => `extra.${column}`),
]

const TEXT_OPS: readonly Op[] = [
  'contains',
  'not_contains',
  'equals',
  'not_equals',
  'one_of',
  'matches',
  'missing',
  'present',
]
const NUMBER_OPS: readonly Op[] = ['at_least', 'at_most', 'equals', 'not_equals']

/** A column of the file may hold anything: texts and numbers are compared. */
export function opsOf(field: string): readonly Op[] {
  if (NUMBERS.has(field)) return NUMBER_OPS
  return field.startsWith('extra.') || field === 'label' ? [...TEXT_OPS, 'at_least', 'at_most'] : TEXT_OPS
}

const FOLDING = new Set<Op>(['contains', 'not_contains', 'matches'])

function emptyValue(field: string, op: Op): Condition['value'] {
  if (op === 'missing' || op === 'present') return null
  if (op === 'one_of') return []
  return NUMBERS.has(field) || op === 'at_least' || op === 'at_most' ? null : ''
}

/** What kind of value a comparison takes; a value of the same kind is kept. */
function kindOf(field: string, op: Op): 'none' | 'list' | 'number' | 'text' {
  if (op === 'missing' || op === 'present') return 'none'
  if (op === 'one_of') return 'list'
  return NUMBERS.has(field) || op === 'at_least' || op === 'at_most' ? 'number' : 'text'
}

function changed(before: Condition, field: string, op: Op): Condition {
  const same = kindOf(before.field, before.op) === kindOf(field, op)
  return {
    field,
    op,
    value: same ? before.value : emptyValue(field, op),
    ...(FOLDING.has(op) && { ignore_case: before.ignore_case ?? true }),
  }
}

export function withField(before: Condition, field: string): Condition {
  const ops = opsOf(field)
  return changed(before, field, ops.includes(before.op) ? before.op : (ops[0] ?? 'equals'))
}

export const withOp = (before: Condition, op: Op): Condition => changed(before, before.field, op)
