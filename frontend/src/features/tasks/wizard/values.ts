/** What the wizard holds, and what is sent of it. */
import { initialKnobs, KNOBS, knobsOf } from './knobs'
import type { Schemas } from '@/api/client'

export type TaskCreate = Schemas['TaskCreate'] & { parent_id: string | null }
export type TaskPlan = Schemas['TaskPlan']
export type Task = Schemas['Task']

export interface Values {
  name: string
  description: string
  intent: string
  output_name: string
  objective: Schemas['Objective']
  model_id: string | null
  dataset_id: string | null
  /** Null for the newest. */
  dataset_version: number | null
  /** Null for the usual part of a version that is divided, and for all rows of one that is not. */
  dataset_split: string | null
  validation_dataset_id: string | null
  validation_version: number | null
  validation_split: string | null
  complexity: Schemas['Complexity']
  method: Schemas['Method']
  device: Schemas['Device']
  distributed: Schemas['Distributed']
  precision: Schemas['Precision']
  deterministic: boolean
  chat_template: string | null
  hyperparameters: Record<string, unknown>
  parent_id: string | null
  priority: Schemas['Priority']
  /** How often it is begun again by itself after the machine failed it. */
  automatic_retries: number
}

export const COMPLEXITIES = [
  'simple',
  'medium',
  'complex',
] as const satisfies readonly Schemas['Complexity'][]
export const METHODS = ['lora', 'qlora', 'freeze', 'full'] as const satisfies readonly Schemas['Method'][]
export const DEVICES = ['auto', 'cuda', 'mps', 'cpu'] as const satisfies readonly Schemas['Device'][]
export const PRECISIONS = [
  'auto',
  'bfloat16',
  'float32',
] as const satisfies readonly Schemas['Precision'][]

export const PRIORITIES = ['low', 'normal', 'high'] as const satisfies readonly Schemas['Priority'][]
export const MOST_RETRIES = 5

export const emptyValues = (): Values => ({
  name: '',
  description: '',
  intent: 'chat',
  output_name: '',
  objective: 'sft',
  model_id: null,
  dataset_id: null,
  dataset_version: null,
  dataset_split: null,
  validation_dataset_id: null,
  validation_version: null,
  validation_split: null,
  complexity: 'medium',
  method: 'lora',
  device: 'auto',
  distributed: { strategy: 'ddp', processes: 1 },
  precision: 'auto',
  deterministic: false,
  chat_template: null,
  hyperparameters: initialKnobs(),
  parent_id: null,
  priority: 'normal',
  automatic_retries: 0,
})

/** A part of the data set that is trained on is named by the part alone. */
function validationOf({ dataset, validation_dataset: validation }: Task) {
  const own = validation?.id === dataset.id && validation.version === dataset.version
  return {
    validation_dataset_id: own ? null : (validation?.id ?? null),
    validation_version: own ? null : (validation?.version ?? null),
    validation_split: validation?.split ?? null,
  }
}

/** Which version and part is meant, where that is not the usual one. */
export function chosenRows(values: Values) {
  const { dataset_version, dataset_split, validation_dataset_id, validation_version, validation_split } = values
  return {
    ...(dataset_version !== null && { dataset_version }),
    ...(dataset_split !== null && { dataset_split }),
    ...(validation_dataset_id !== null && validation_version !== null && { validation_version }),
    ...(validation_split !== null && { validation_split }),
  }
}

/** The values of a task, to be changed; name and output name are asked for anew. */
export const valuesOfTask = (task: Task): Values => ({
  ...emptyValues(),
  description: task.description,
  intent: task.intent,
  objective: task.objective,
  model_id: task.model.id,
  dataset_id: task.dataset.id,
  dataset_version: task.dataset.version ?? null,
  dataset_split: task.dataset.split ?? null,
  ...validationOf(task),
  method: task.method,
  device: task.device,
  distributed: task.distributed,
  precision: task.precision,
  deterministic: task.deterministic,
  chat_template: task.chat_template,
  hyperparameters: { ...initialKnobs(), ...task.hyperparameters },
  parent_id: task.id,
  priority: task.priority,
  automatic_retries: task.automatic_retries,
})

/** Hyper-parameters to send: what does not matter for this run goes with its default. */
function sentKnobs(values: Values): Schemas['Hyperparameters'] {
  const { hyperparameters } = values
  const used = new Set(knobsOf(values).map(({ name }) => name))
  const sent = KNOBS.map(({ name, initial }) => [
    name,
    used.has(name) ? hyperparameters[name] : initial,
  ])
  return Object.fromEntries(sent) as Schemas['Hyperparameters']
}

/** These read texts as they are: no chat template writes them. */
const WITHOUT_TEMPLATE: readonly Values['objective'][] = ['pretrain', 'classify', 'seq2seq']

export const usesTemplate = ({ objective }: Values): boolean => !WITHOUT_TEMPLATE.includes(objective)

/** The chat template that the run brings along; null for the model's own, and where none is used. */
export const ownTemplate = (values: Values): string | null =>
  usesTemplate(values) && values.chat_template?.trim() ? values.chat_template : null

/** What an estimate needs; null until model and data are chosen. */
export function planOf(values: Values): TaskPlan | null {
  const { objective, model_id, dataset_id, validation_dataset_id, method, device } = values
  if (!model_id || !dataset_id) return null
  return {
    objective,
    model_id,
    dataset_id,
    validation_dataset_id,
    ...chosenRows(values),
    method,
    hyperparameters: sentKnobs(values),
    distributed: values.distributed,
    device,
    precision: values.precision,
    deterministic: values.deterministic,
    chat_template: ownTemplate(values),
  }
}

/** The body that creates the task; null while the plan is incomplete. */
export function bodyOf(values: Values, accept_memory_risk = false): TaskCreate | null {
  const plan = planOf(values)
  return (
    plan && {
      name: values.name.trim(),
      description: values.description.trim(),
      intent: values.intent,
      ...plan,
      output_name: values.output_name.trim(),
      parent_id: values.parent_id,
      accept_memory_risk,
      // A draft of another day may hold anything.
      priority: PRIORITIES.find((each) => each === values.priority) ?? 'normal',
      automatic_retries: Math.min(MOST_RETRIES, Math.max(0, Math.trunc(values.automatic_retries))),
    }
  )
}

/** A name for files and cards from a name for people: `Support bot 2` → `support-bot-2`. */
export function outputNameFor(name: string, fallback: string, taken: readonly string[]): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80)
    .replace(/-+$/, '')
  // A name without Latin letters leaves nothing that every file system can carry.
  const base = /[a-z]/.test(slug) ? slug : slug ? `${fallback}-${slug}` : fallback
  const used = new Set(taken.map((each) => each.toLowerCase()))
  let unique = base
  for (let n = 2; used.has(unique); n += 1) unique = `${base}-${n}`
  return unique
}
