/** The wizard's state as a draft on the server: written whole, read with care. */
import { KNOBS } from './knobs'
import { initialState, type Sent, type WizardState } from './state'
import { emptyValues, type Values } from './values'

type Json = Record<string, unknown>

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const record = (value: unknown): Json => (isRecord(value) ? value : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export function draftOf({ values, baseline, auto, methodChosen, kept, sent }: WizardState): Json {
  return { values, baseline, auto, methodChosen, kept, sent }
}

/** Only knobs that the engine (still) knows; what is missing gets the default. */
function knobsIn(saved: unknown): Json {
  const found = record(saved)
  return Object.fromEntries(
    KNOBS.map(({ name, initial }) => [name, name in found ? found[name] : initial]),
  )
}

function distributedIn(saved: unknown): Values['distributed'] {
  const { strategy, processes } = record(saved)
  return {
    strategy: strategy === 'fsdp' ? 'fsdp' : 'ddp',
    processes: typeof processes === 'number' ? processes : 1,
  }
}

function valuesIn(saved: Json): Values {
  const initial = emptyValues()
  const kept = Object.entries(initial)
    .filter(([key]) => key !== 'hyperparameters' && key !== 'distributed')
    .map(([key, fallback]) => {
      const value = saved[key]
      // A field has one type; what is null when nothing is chosen is else a text, a version a number.
      const chosen = key.endsWith('_version') ? 'number' : 'string'
      const fits =
        typeof value === typeof fallback || (fallback === null && typeof value === chosen)
      return [key, fits ? value : fallback]
    })
  return {
    ...(Object.fromEntries(kept) as Omit<Values, 'hyperparameters' | 'distributed'>),
    distributed: distributedIn(saved.distributed),
    hyperparameters: knobsIn(saved.hyperparameters),
  }
}

/** Without what was recommended then nobody can tell what was chosen: all of it stays. */
function keptIn({ kept, baseline, values }: Json): string[] {
  if (!isRecord(baseline)) return Object.keys(record(record(values).hyperparameters))
  return Array.isArray(kept) ? kept.filter((name) => typeof name === 'string') : []
}

function sentIn(saved: unknown): Sent | null {
  const { key, body } = record(saved)
  return text(key) && text(body) ? { key: text(key), body: text(body) } : null
}

/** A state from what a draft holds, however old the app was that wrote it. */
export function stateOf(draft: Json): WizardState {
  const values = valuesIn(record(draft.values))
  const auto = record(draft.auto)
  return initialState(values, {
    baseline: { hyperparameters: knobsIn(record(draft.baseline).hyperparameters) },
    auto: { name: text(auto.name), output_name: text(auto.output_name) },
    methodChosen: draft.methodChosen === true,
    kept: keptIn(draft),
    sent: sentIn(draft.sent),
  })
}

/** The name under which a draft is offered; empty when it has none. */
export const draftName = (draft: Json): string => text(record(draft.values).name)
