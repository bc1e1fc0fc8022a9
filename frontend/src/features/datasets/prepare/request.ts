/** Steps as they are sent, and which step a refusal is about. Pure. */
import { meant } from './fields/conditions'
import type { Step } from './steps'
import { ApiError, pointerPath } from '@/api/errors'

/** A step as the server takes it: without what was left empty. */
export function sentStep(step: Step): Step {
  switch (step.kind) {
    case 'filter':
      return { ...step, conditions: step.conditions.map(meant) }
    case 'split':
      return { ...step, order: null }
    default:
      return step
  }
}

/** The number of the step (from 0) that an error speaks of; null when it speaks of all. */
export function refusedStep(error: unknown): number | null {
  if (!(error instanceof ApiError)) return null
  for (const { pointer } of error.errors) {
    const [first, number] = pointerPath(pointer)
    if (first === 'steps' && typeof number === 'number') return number
  }
  const { step } = error.params
  return typeof step === 'number' && step >= 1 ? step - 1 : null
}
