/** What is left to do before the training can start, whoever found it: the form or the server. */
import type { TFunction } from 'i18next'
import { STEPS, stepOf, type Problem, type StepIndex } from './check'
import { fieldLabel, findingText, problemText, refusalText } from './texts'
import type { Plan } from './use-plan'
import { ApiError, errorSentence, pointerPath } from '@/api/errors'
import type { useFormat } from '@/i18n/format'

export interface Left {
  key: string
  field: string
  step: StepIndex
  text: string
}

/** `/hyperparameters/epochs` → `hyperparameters.epochs`. */
export const fieldOf = (pointer: string) => pointerPath(pointer).join('.')

function ofForm(t: TFunction, format: ReturnType<typeof useFormat>, problem: Problem): Left {
  const { field } = problem
  const text =
    problem.code === 'required' ? fieldLabel(t, field) : `${fieldLabel(t, field)}: ${problemText(t, format, problem)}`
  return { key: `${field} ${problem.code}`, field, step: stepOf(field), text }
}

/** The findings of the compatibility check that keep model and data apart. */
const ofCompatibility = (t: TFunction, { compatibility }: Plan): Left[] =>
  compatibility && !compatibility.ok
    ? compatibility.problems
        .filter(({ blocking }) => blocking)
        .map((each) => ({
          key: each.code,
          field: each.code.startsWith('model') || each.code === 'no_chat_template' ? 'model_id' : 'dataset_id',
          step: 1 as const,
          text: findingText(t, each),
        }))
    : []

function ofEstimate(t: TFunction, { estimate, estimateError }: Plan): Left[] {
  const blocking = (estimate?.warnings ?? [])
    .filter((each) => each.blocking)
    .map((each) => ({ key: each.code, field: '', step: 3 as const, text: findingText(t, each) }))
  if (!(estimateError instanceof ApiError)) return blocking
  const fields = estimateError.errors.map((each) => {
    const field = fieldOf(each.pointer)
    const text = `${fieldLabel(t, field)}: ${refusalText(t, each)}`
    return { key: each.code, field, step: stepOf(field), text }
  })
  if (fields.length > 0) return fields
  return [{ key: estimateError.code, field: '', step: 3, text: errorSentence(t, estimateError) }]
}

export function whatIsLeft(
  t: TFunction,
  format: ReturnType<typeof useFormat>,
  problems: readonly Problem[],
  refused: Record<string, string>,
  plan: Plan,
): Left[] {
  const all = [
    ...problems.map((each) => ofForm(t, format, each)),
    ...Object.entries(refused).map(([field, sentence]) => ({
      key: `refused ${field}`,
      field,
      step: stepOf(field),
      text: `${fieldLabel(t, field)}: ${sentence}`,
    })),
    ...ofCompatibility(t, plan),
    ...ofEstimate(t, plan),
  ]
  // Check and estimate name the same misfit by the same code.
  return all.filter((each, index) => all.findIndex(({ key }) => key === each.key) === index)
}

export const LAST_STEP = (STEPS.length - 1) as StepIndex
