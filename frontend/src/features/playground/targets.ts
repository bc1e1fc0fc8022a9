/** Which models stand side by side: a tuned one, and the base it came from. */
import type { Target } from './api'

export const keyOf = ({ kind, id }: Target) => `${kind}:${id}`

/** A column that was left empty on purpose. */
export const NOBODY = 'none'

/** What is asked and answered: models of one family can be asked the same. */
export type Family = 'texts' | 'classes' | 'scores'

export function familyOf({ purpose }: Target): Family {
  if (purpose === 'classify') return 'classes'
  return purpose === 'score' ? 'scores' : 'texts'
}

/** The family of all columns: that of the first which has a model. */
export const familyOfColumns = (columns: readonly (Target | undefined)[]): Family => {
  const first = columns.find(Boolean)
  return first ? familyOf(first) : 'texts'
}

/** The id of a request. */
export const idOf = ({ kind, id }: Target) => (kind === 'base' ? { model_id: id } : { task_id: id })

/** What the address says; an empty text says nothing. */
export interface Asked {
  /** A finished training, to be seen beside its base. */
  task: string
  left: string
  right: string
}

/**
 * The two columns: what the address asks for, else what stood there last, else the newest tuned
 * model with its base beside it, else the first base model alone. Models of different families are
 * never beside each other: the second one goes.
 */
export function columnsOf(
  targets: readonly Target[],
  asked: Asked,
  last: readonly (string | null)[],
): (Target | undefined)[] {
  const [left, right] = wantedColumns(targets, asked, last)
  return [left, left && right && familyOf(left) !== familyOf(right) ? undefined : right]
}

function wantedColumns(
  targets: readonly Target[],
  asked: Asked,
  last: readonly (string | null)[],
): (Target | undefined)[] {
  const find = (key: string | null | undefined) => targets.find((each) => keyOf(each) === key)
  const withBase = (tuned: Target) => [tuned, find(`base:${tuned.base_id}`)]
  if (asked.left || asked.right) return [find(asked.left), find(asked.right)]
  const wanted = find(`tuned:${asked.task}`)
  if (wanted) return withBase(wanted)
  const kept = last.map(find)
  if (kept.some(Boolean)) return [kept[0], kept[1]]
  const newest = targets.find(({ kind }) => kind === 'tuned')
  return newest ? withBase(newest) : [targets[0], undefined]
}
