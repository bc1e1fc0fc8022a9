/** What a step still lacks, told before the server has to. Pure. */
import type { Change, Condition, Step } from './steps'

export type Lack =
  | 'value'
  | 'conditions'
  | 'findings'
  | 'changes'
  | 'change'
  | 'amount'
  | 'source'
  | 'weight'
  | 'share'
  | 'shareSum'
  | 'splitName'
  | 'splitTwice'
  | 'splitField'

const SPLIT_NAME = /^[a-z0-9_-]{1,64}$/

const filled = (text: string | null | undefined) => Boolean(text)

function conditionLacks({ op, value }: Condition): boolean {
  if (op === 'missing' || op === 'present') return false
  if (op === 'one_of') return !Array.isArray(value) || value.length === 0
  return value === null || value === undefined || value === ''
}

function changeLacks(change: Change): boolean {
  switch (change.kind) {
    case 'set_system':
      return !filled(change.text)
    case 'system_from_extra':
    case 'label_from_extra':
      return !filled(change.column)
    case 'replace':
      return !filled(change.find)
    case 'rename_label':
      return change.from === '' || change.to === '' || change.from == null || change.to == null
    case 'to_conversation':
      return !filled(change.prompt) || !filled(change.answer)
    default:
      return false
  }
}

function splitLacks({ by, field, fractions, rest }: Extract<Step, { kind: 'split' }>): Lack | null {
  const names = Object.keys(fractions)
  const shares = Object.values(fractions)
  if (names.length === 0 || shares.some((share) => !(share > 0))) return 'share'
  if (shares.reduce((sum, share) => sum + share, 0) > 1 + 1e-9) return 'shareSum'
  if (![...names, rest].every((name) => SPLIT_NAME.test(name ?? ''))) return 'splitName'
  if (names.includes(rest ?? '')) return 'splitTwice'
  if (by !== 'random' && !field) return 'splitField'
  return null
}

/** Null for a step that may be sent. */
export function lackOf(step: Step): Lack | null {
  switch (step.kind) {
    case 'filter':
      if (step.conditions.length === 0) return 'conditions'
      return step.conditions.some(conditionLacks) ? 'value' : null
    case 'exclude':
      return (step.findings?.length ?? 0) + (step.rows?.length ?? 0) === 0 ? 'findings' : null
    case 'map':
      if (step.changes.length === 0) return 'changes'
      return step.changes.some(changeLacks) ? 'change' : null
    case 'sample':
      return (step.rows ?? step.fraction ?? 0) > 0 ? null : 'amount'
    case 'shuffle':
      return null
    case 'concatenate':
      return step.sources.length > 0 && step.sources.every(({ dataset_id: id }) => id) ? null : 'source'
    case 'mix':
      if (step.sources.length === 0 || !step.sources.every(({ dataset_id: id }) => id)) return 'source'
      return [step.weight, ...step.sources.map(({ weight }) => weight)].every((w) => w > 0) ? null : 'weight'
    case 'split':
      return splitLacks(step)
  }
}

/** The steps before the first that lacks something: what can be tried out already. */
export function completeSteps(steps: readonly Step[]): Step[] {
  const stop = steps.findIndex((step) => lackOf(step) !== null)
  return steps.slice(0, stop < 0 ? undefined : stop)
}
