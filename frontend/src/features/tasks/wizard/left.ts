/** What is left to do before the training can start, whoever found it: the form or the server. */
import type { TFunction } from 'i18next'
import { stepOf, type Problem, type StepIndex } from './check'
import { fieldLabel, findingText, problemText, refusalText, type Format } from './texts'
import { NO_TEMPLATE, type Plan } from './use-plan'
import { ApiError, errorSentence, pointerPath } from '@/api/errors'

export interface Left {
  key: string
  field: string
  step: StepIndex
  text: string
}

/** The finding that keeps a run from starting until its risk is accepted. */
export const RISK = 'memory_will_not_fit'

/** `/hyperparameters/epochs` → `hyperparameters.epochs`. */
export const fieldOf = (pointer: string) => pointerPath(pointer).join('.')

function ofForm(t: TFunction, format: Format, problem: Problem): Left {
  const { field, code } = problem
  const label = fieldLabel(t, field)
  const text = code === 'required' ? label : `${label}: ${problemText(t, format, problem)}`
  return { key: `${field} ${code}`, field, step: stepOf(field), text }
}

/** Where a misfit is put right: what a model lacks may be given with the run. */
function fieldOfMisfit(code: string): string {
  if (code === NO_TEMPLATE) return 'chat_template'
  return code.startsWith('model_') ? 'model_id' : 'dataset_id'
}

/** The findings of the compatibility check that keep model and data apart. */
function ofCompatibility(t: TFunction, format: Format, { compatibility }: Plan): Left[] {
  return (compatibility?.problems ?? [])
    .filter(({ blocking }) => blocking)
    .map((each) => {
      const field = fieldOfMisfit(each.code)
      return { key: each.code, field, step: stepOf(field), text: findingText(t, format, each) }
    })
}

/** What the server refuses to estimate says which field it is about. */
export function refusalsOf(t: TFunction, format: Format, error: unknown): Record<string, string> {
  const errors = error instanceof ApiError ? error.errors : []
  return Object.fromEntries(
    errors.map((each) => [fieldOf(each.pointer), refusalText(t, format, each)]),
  )
}

function ofEstimate(
  t: TFunction,
  format: Format,
  { estimate, estimateError }: Plan,
  riskAccepted: boolean,
): Left[] {
  if (estimateError instanceof ApiError && estimateError.status < 500) {
    if (estimateError.errors.length === 0) {
      return [{ key: estimateError.code, field: '', step: 3, text: errorSentence(t, estimateError) }]
    }
    return estimateError.errors.map((each) => {
      const field = fieldOf(each.pointer)
      const text = `${fieldLabel(t, field)}: ${refusalText(t, format, each)}`
      return { key: each.code, field, step: stepOf(field), text }
    })
  }
  return (estimate?.warnings ?? [])
    .filter(({ blocking, code }) => blocking || (code === RISK && !riskAccepted))
    .map((each) => ({ key: each.code, field: '', step: 3, text: findingText(t, format, each) }))
}

export function whatIsLeft(
  t: TFunction,
  format: Format,
  problems: readonly Problem[],
  refused: Record<string, string>,
  plan: Plan,
  riskAccepted = false,
): Left[] {
  const all = [
    ...problems.map((each) => ofForm(t, format, each)),
    ...Object.entries(refused).map(([field, sentence]) => ({
      key: `refused ${field}`,
      field,
      step: stepOf(field),
      text: `${fieldLabel(t, field)}: ${sentence}`,
    })),
    ...ofCompatibility(t, format, plan),
    ...ofEstimate(t, format, plan, riskAccepted),
  ]
  // Check and estimate name the same misfit by the same code.
  return all.filter((each, index) => all.findIndex(({ key }) => key === each.key) === index)
}
