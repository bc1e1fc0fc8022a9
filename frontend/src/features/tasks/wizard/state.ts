/**
 * The wizard's state and every change to it, as one reducer. Names and recommended values follow by
 * themselves until the user has touched them; what the user chose is never overwritten.
 */
import { isKnownIntent } from '../intents'
import { knobField } from './check'
import { initialKnobs, sameValue } from './knobs'
import { outputNameFor, type Values } from './values'
import type { Schemas } from '@/api/client'

/** What a field is reset to: the recommendation, and the engine's default before there is one. */
export interface Baseline {
  hyperparameters: Record<string, unknown>
}

/** A creation that was sent: the same body is sent again with the same key. */
export interface Sent {
  key: string
  body: string
}

export interface WizardState {
  values: Values
  baseline: Baseline
  /** The names as they were filled in by the app. */
  auto: { name: string; output_name: string }
  methodChosen: boolean
  /** Knobs whose values came from a cloned run: the first recommendation changes none of them. */
  kept: readonly string[]
  sent: Sent | null
  /** Fields that show what is wrong with them. */
  touched: Record<string, true>
  /** What the server said about a field. */
  refused: Record<string, string>
  /** Output names in use. */
  taken: readonly string[]
  /** Changes by the user since the page was opened. */
  edits: number
}

type Recommended = Pick<Schemas['Recommendation'], 'method' | 'hyperparameters'>

export type WizardAction =
  | { type: 'edit'; values: Partial<Values> }
  /** The only choice there is, taken by the app. */
  | { type: 'prefill'; values: Partial<Values> }
  | { type: 'knob'; name: string; value: unknown }
  | { type: 'reset'; name: string }
  | { type: 'resetMethod'; method: Values['method'] }
  | { type: 'touch'; fields: readonly string[] }
  | { type: 'suggest'; name: string; taken: readonly string[] }
  | { type: 'recommended'; recommendation: Recommended }
  | { type: 'refused'; fields: Record<string, string> }
  | { type: 'sending'; sent: Sent }

export function initialState(values: Values, saved: Partial<WizardState> = {}): WizardState {
  return {
    values,
    baseline: { hyperparameters: initialKnobs() },
    auto: { name: '', output_name: '' },
    methodChosen: false,
    kept: [],
    sent: null,
    ...saved,
    touched: {},
    refused: {},
    taken: [],
    edits: 0,
  }
}

const fallbackName = ({ intent }: Values) =>
  isKnownIntent(intent) ? intent.replaceAll('_', '-') : 'model'

/** The output name follows the name while it is the app's own. */
function withOutputName(state: WizardState): WizardState {
  const { values, auto, taken } = state
  if (values.output_name !== auto.output_name) return state
  const output_name = outputNameFor(values.name, fallbackName(values), taken)
  return { ...state, values: { ...values, output_name }, auto: { ...auto, output_name } }
}

function without<T>(record: Record<string, T>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))
}

function edit(state: WizardState, changed: Partial<Values>): WizardState {
  const fields = Object.keys(changed)
  const next = {
    ...state,
    values: { ...state.values, ...changed },
    methodChosen: state.methodChosen || 'method' in changed,
    refused: without(state.refused, fields),
    edits: state.edits + 1,
  }
  return 'name' in changed ? withOutputName(next) : next
}

function setKnob(state: WizardState, name: string, value: unknown): WizardState {
  const hyperparameters = { ...state.values.hyperparameters, [name]: value }
  return {
    ...state,
    values: { ...state.values, hyperparameters },
    touched: { ...state.touched, [knobField(name)]: true },
    refused: without(state.refused, [knobField(name)]),
    edits: state.edits + 1,
  }
}

/**
 * New recommended values reach every field that still had the old ones. What a cloned run was trained
 * with stays also where it is the default.
 */
function rebase(state: WizardState, { method, hyperparameters }: Recommended): WizardState {
  const { values, baseline, kept } = state
  const next: Record<string, unknown> = { ...hyperparameters }
  // A recommended null is a value, too: no early stopping, say.
  const follows = (name: string, value: unknown) =>
    name in next && !kept.includes(name) && sameValue(value, baseline.hyperparameters[name])
  const moved = Object.entries(values.hyperparameters).map(([name, value]) => [
    name,
    follows(name, value) ? next[name] : value,
  ])
  return {
    ...state,
    values: {
      ...values,
      method: state.methodChosen ? values.method : method,
      hyperparameters: Object.fromEntries(moved),
    },
    baseline: { hyperparameters: next },
    kept: [],
  }
}

function suggest(state: WizardState, name: string, taken: readonly string[]): WizardState {
  const { values, auto } = state
  if (values.name !== auto.name) return withOutputName({ ...state, taken })
  return withOutputName({
    ...state,
    taken,
    values: { ...values, name },
    auto: { ...auto, name },
  })
}

export function wizardReducer(state: WizardState, action: WizardAction): WizardState {
  switch (action.type) {
    case 'edit':
      return edit(state, action.values)
    case 'prefill':
      return { ...state, values: { ...state.values, ...action.values } }
    case 'knob':
      return setKnob(state, action.name, action.value)
    case 'reset':
      return setKnob(state, action.name, state.baseline.hyperparameters[action.name])
    case 'resetMethod': {
      const values = { ...state.values, method: action.method }
      const refused = without(state.refused, ['method'])
      return { ...state, values, refused, methodChosen: false, edits: state.edits + 1 }
    }
    case 'touch':
      return {
        ...state,
        touched: { ...state.touched, ...Object.fromEntries(action.fields.map((f) => [f, true])) },
      }
    case 'suggest':
      return suggest(state, action.name, action.taken)
    case 'recommended':
      return rebase(state, action.recommendation)
    case 'refused':
      return { ...state, refused: action.fields }
    case 'sending':
      return { ...state, sent: action.sent, refused: {}, edits: state.edits + 1 }
  }
}

/** Whether a knob differs from what is recommended (the default, before there is a recommendation). */
export const isChanged = (state: WizardState, name: string): boolean =>
  !sameValue(state.values.hyperparameters[name], state.baseline.hyperparameters[name])
