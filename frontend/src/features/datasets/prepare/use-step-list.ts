/** The steps of a preparation while they are edited; kept for this tab, so that a reload loses none. */
import { useEffect, useReducer } from 'react'
import { lackOf } from './check-steps'
import { CHANGE_KINDS } from './fields/change-specs'
import { listOf, stepListReducer, type Step } from './steps'

const KINDS = new Set(['filter', 'exclude', 'map', 'sample', 'shuffle', 'concatenate', 'mix', 'split'])
const keyOf = (id: string) => `easytune.prepare.${id}`

/** What a list holds that was kept, or that a failed preparation had: only steps that are known. */
export function knownSteps(value: unknown): Step[] {
  if (!Array.isArray(value)) return []
  return value.filter(
    (each): each is Step =>
      typeof each === 'object' && each !== null && KINDS.has((each as Step).kind) && isWhole(each as Step),
  )
}

/** A step that another version of the app has kept may lack what this one reads. */
function isWhole(step: Step): boolean {
  try {
    lackOf(step)
    return step.kind !== 'map' || step.changes.every(({ kind }) => CHANGE_KINDS.includes(kind))
  } catch {
    return false
  }
}

function kept(id: string): Step[] | null {
  try {
    const text = sessionStorage.getItem(keyOf(id))
    return text === null ? null : knownSteps(JSON.parse(text))
  } catch {
    return null
  }
}

function keep(id: string, steps: readonly Step[]): void {
  try {
    if (steps.length > 0) sessionStorage.setItem(keyOf(id), JSON.stringify(steps))
    else sessionStorage.removeItem(keyOf(id))
  } catch {
    // Without storage the steps live as long as the page.
  }
}

export const forgetSteps = (id: string) => keep(id, [])

/** `first` are the steps to begin with when none were kept. */
export function useStepList(id: string, first: readonly Step[]) {
  const [list, dispatch] = useReducer(stepListReducer, null, () => listOf(kept(id) ?? first))
  useEffect(() => keep(id, list.items.map(({ step }) => step)), [id, list])
  return { items: list.items, dispatch }
}
