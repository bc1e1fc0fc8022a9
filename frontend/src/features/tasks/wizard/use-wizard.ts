/** Everything the steps and the panel share: state, steps, what the server says, saving, starting. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useReducer, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { taskListQuery } from '../api'
import { datasetOptionsQuery, modelOptionsQuery, type Dataset, type Model } from './api'
import { furthestStep, problemsOf, stepOf, type Problem, type StepIndex } from './check'
import { COMPUTATION_FIELDS } from './computation-fields'
import { knobNamed } from './knobs'
import { fittingObjective } from './objectives'
import { refusalsOf, whatIsLeft, type Left } from './left'
import { wizardReducer, type WizardAction, type WizardState } from './state'
import { problemText } from './texts'
import { useDraftSaving, type DraftSaving } from './use-draft-saving'
import { failureOf, NO_TEMPLATE, usePlan, type Failure, type Plan } from './use-plan'
import { useStart } from './use-start'
import { useSteps } from './use-steps'
import { planOf } from './values'
import { useFormat } from '@/i18n/format'

export interface Start {
  state: WizardState
  step: StepIndex
  draft: string | null
  /** The name that is offered; null keeps what the draft has. */
  nameFor: ((state: WizardState, dataset: Dataset | undefined) => string) | null
  onDraft: (id: string) => void
}

export interface Wizard {
  state: WizardState
  dispatch: (action: WizardAction) => void
  step: StepIndex
  furthest: StepIndex
  problems: Problem[]
  left: Left[]
  plan: Plan
  models: Model[] | undefined
  datasets: Dataset[] | undefined
  /** Why there is no list. */
  modelsFailure: Failure | null
  datasetsFailure: Failure | null
  saving: DraftSaving
  advanced: boolean
  setAdvanced: (open: boolean) => void
  /** What is wrong with a field, once the user has been there. */
  errorOf: (field: string) => string | undefined
  goTo: (step: StepIndex, field?: string) => void
  /** Opens the next step, or shows what keeps it closed. */
  next: () => void
  start: () => Promise<void>
  starting: boolean
  /** The user starts this very plan although it will not fit into memory. */
  riskAccepted: boolean
  acceptRisk: (accepted: boolean) => void
}

/** Fields of the folded part that are no hyper-parameters. */
const isFolded = (field = '') =>
  field === 'device' || field.startsWith('distributed.') || COMPUTATION_FIELDS.some((each) => each === field)

const onlyOne = <T extends { status: string }>(items: T[] | undefined) => {
  const ready = items?.filter(({ status }) => status === 'ready') ?? []
  return ready.length === 1 ? ready[0] : undefined
}

/** What there is to choose from; a choice without an alternative is made at once. */
function useChoices(state: WizardState, dispatch: (action: WizardAction) => void) {
  const modelList = useQuery(modelOptionsQuery())
  const datasetList = useQuery(datasetOptionsQuery())
  const models = modelList.data?.items
  const datasets = datasetList.data?.items
  const { model_id, dataset_id } = state.values
  const model = model_id ? undefined : onlyOne(models)?.id
  const dataset = dataset_id ? undefined : onlyOne(datasets)?.id
  useEffect(() => {
    if (model) dispatch({ type: 'prefill', values: { model_id: model } })
  }, [model, dispatch])
  useEffect(() => {
    if (dataset) dispatch({ type: 'prefill', values: { dataset_id: dataset } })
  }, [dataset, dispatch])
  // Rows of another kind are for something else: that is chosen, not refused later.
  const objective = fittingObjective(
    state.values.objective,
    datasets?.find(({ id }) => id === dataset_id),
    models?.find(({ id }) => id === model_id),
  )
  useEffect(() => {
    if (objective !== state.values.objective) dispatch({ type: 'prefill', values: { objective } })
  }, [objective, state.values.objective, dispatch])
  return {
    models,
    datasets,
    modelsFailure: failureOf(modelList),
    datasetsFailure: failureOf(datasetList),
  }
}

export function useWizard({ state: initial, step: first, draft, nameFor, onDraft }: Start): Wizard {
  const { t } = useTranslation()
  const format = useFormat()
  const [state, dispatch] = useReducer(wizardReducer, initial)
  const [advanced, setAdvanced] = useState(false)
  const { models, datasets, modelsFailure, datasetsFailure } = useChoices(state, dispatch)
  const taken = useQuery(taskListQuery({ limit: 200 })).data?.items

  const offered = datasets?.find(({ id }) => id === initial.values.dataset_id)
  const name = nameFor?.(state, offered)
  const used = taken?.map((task) => task.output_name)
  const usedText = used?.join('\n')
  const suggest = useEffectEvent(() => {
    if (name !== undefined) dispatch({ type: 'suggest', name, taken: used ?? [] })
  })
  useEffect(() => suggest(), [name, usedText])

  const problems = problemsOf(state.values)
  const plan = usePlan(state, dispatch)
  const apart = plan.compatibility?.problems.some((each) => each.blocking && each.code !== NO_TEMPLATE) ?? false
  const furthest = Math.min(furthestStep(problems), apart ? 1 : 3) as StepIndex
  const { step, goTo } = useSteps(first, furthest)
  const saving = useDraftSaving({ id: draft, state, step, onCreated: onDraft })
  const estimated = refusalsOf(t, format, plan.estimateError)
  // Accepted for one plan: any change of it asks again.
  const [acceptedPlan, setAcceptedPlan] = useState<string | null>(null)
  const planText = JSON.stringify(planOf(state.values))
  const riskAccepted = acceptedPlan === planText
  const left = whatIsLeft(t, format, problems, state.refused, plan, riskAccepted)

  const open: Wizard['goTo'] = (to, field) => {
    const knob = knobNamed(field?.slice('hyperparameters.'.length) ?? '')
    if (isFolded(field) || knob?.group === 'advanced') setAdvanced(true)
    goTo(to, field)
  }
  const { start, starting } = useStart({
    state,
    dispatch,
    saving,
    riskAccepted,
    goToField: (field) => open(stepOf(field), field),
  })

  const next = () => {
    const here = left.filter(({ step: each }) => each === step)
    const stuck = here[0]
    if (!stuck) {
      goTo(Math.min(step + 1, 3) as StepIndex)
      return
    }
    dispatch({ type: 'touch', fields: here.map(({ field }) => field) })
    open(step, stuck.field)
  }

  return {
    state,
    dispatch,
    step,
    furthest,
    problems,
    left,
    plan,
    models,
    datasets,
    modelsFailure,
    datasetsFailure,
    saving,
    advanced,
    setAdvanced,
    errorOf: (field) => {
      const problem = state.touched[field] && problems.find((each) => each.field === field)
      return problem ? problemText(t, format, problem) : (state.refused[field] ?? estimated[field])
    },
    goTo: open,
    next,
    start,
    starting,
    riskAccepted,
    acceptRisk: (accepted) => setAcceptedPlan(accepted ? planText : null),
  }
}
