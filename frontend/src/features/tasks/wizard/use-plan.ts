/** What the server says about the plan as it stands: do model and data fit, what suits them, what it takes. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useState } from 'react'
import { compatibilityQuery, estimateQuery, recommendationQuery } from './api'
import { problemsOf, type Problem } from './check'
import type { WizardAction, WizardState } from './state'
import { chosenRows, ownTemplate, planOf, type TaskPlan } from './values'
import type { Schemas } from '@/api/client'

/** A question without an answer, to be shown in an `ErrorPanel`. */
export interface Failure {
  error: unknown
  onRetry: () => void
}

/** What there is to show when nothing was ever answered; a later failure leaves the answer there. */
export const failureOf = ({ data, error, refetch }: UseQueryResult): Failure | null =>
  error && data === undefined ? { error, onRetry: () => void refetch() } : null

/** What a model lacks that the run itself can bring: nothing that keeps the next step closed. */
export const NO_TEMPLATE = 'no_chat_template'

const TYPING_MS = 400

export interface Plan {
  compatibility: Schemas['Compatibility'] | undefined
  checking: boolean
  /** Whether they fit could not be asked. */
  compatibilityFailure: Failure | null
  recommendation: Schemas['Recommendation'] | undefined
  /** What is recommended when the method is left open: tells which method is. */
  unbound: Schemas['Recommendation'] | undefined
  recommending: boolean
  recommendationError: unknown
  estimate: Schemas['Estimate'] | undefined
  estimating: boolean
  estimateError: unknown
}

/** The value when it has not changed for a moment: one question per change, not per key. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  const text = JSON.stringify(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(text) as T), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

/** A model without a chat template fits all the same where the run brings one along. */
function withTemplate(found: Schemas['Compatibility'], template: boolean): Schemas['Compatibility'] {
  if (!template) return found
  const problems = found.problems.filter(({ code }) => code !== NO_TEMPLATE)
  return { ok: !problems.some(({ blocking }) => blocking), problems }
}

/** A plan worth an estimate: chosen, and without a value that the server would refuse. */
function soundPlan(state: WizardState, problems: readonly Problem[]): TaskPlan | null {
  const about = problems.some(({ field }) => !['name', 'output_name', 'description'].includes(field))
  return about ? null : planOf(state.values)
}

export function usePlan(state: WizardState, dispatch: (action: WizardAction) => void): Plan {
  const { model_id, dataset_id, validation_dataset_id, objective, complexity, method } = state.values
  const template = ownTemplate(state.values) !== null
  const pair = model_id && dataset_id ? { model_id, dataset_id, objective } : null

  const compatibility = useQuery(compatibilityQuery(pair))
  const fit = compatibility.data && withTemplate(compatibility.data, template)
  // Values can be recommended before the template is there, and it may be given beside them.
  const apart = fit?.problems.some(({ blocking, code }) => blocking && code !== NO_TEMPLATE)
  const rows = chosenRows(state.values)
  const asked =
    pair && apart === false ? { ...pair, validation_dataset_id, ...rows, complexity, method: null } : null
  // One question until a method is chosen; from then on the open one still tells which is recommended.
  const unbound = useQuery(recommendationQuery(asked))
  const bound = asked && state.methodChosen ? { ...asked, method } : asked
  const recommendation = useQuery(recommendationQuery(bound))
  const adopt = useEffectEvent((found: Schemas['Recommendation']) =>
    dispatch({ type: 'recommended', recommendation: found }),
  )
  const fresh = recommendation.isPlaceholderData ? undefined : recommendation.data
  useEffect(() => {
    if (fresh) adopt(fresh)
  }, [fresh])

  // Before rows and model fit, and before the values suit them, there is nothing to estimate.
  const begun = asked && !recommendation.isPending
  const plan = useSettled(begun ? soundPlan(state, problemsOf(state.values)) : null)
  const estimate = useQuery(estimateQuery(plan))
  return {
    compatibility: pair ? fit : undefined,
    checking: pair !== null && compatibility.isPending,
    compatibilityFailure: pair ? failureOf(compatibility) : null,
    recommendation: pair ? recommendation.data : undefined,
    unbound: pair ? unbound.data : undefined,
    recommending: recommendation.isFetching,
    recommendationError: pair ? recommendation.error : null,
    estimate: plan ? estimate.data : undefined,
    estimating: estimate.isFetching,
    estimateError: plan ? estimate.error : null,
  }
}
