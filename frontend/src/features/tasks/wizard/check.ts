/** What is still wrong with the wizard's values: pure, so that panel, fields and steps agree. */
import { isEmpty, knobsOf, type Knob } from './knobs'
import type { Values } from './values'

export type StepIndex = 0 | 1 | 2 | 3
export const STEPS = ['goal', 'sources', 'method', 'review'] as const

export type ProblemCode =
  | 'required'
  | 'too_long'
  | 'bad_output_name'
  | 'same_validation'
  | 'not_a_number'
  | 'not_whole'
  | 'at_least'
  | 'more_than'
  | 'at_most'
  | 'less_than'
  | 'micro_batch_too_large'

export interface Problem {
  /** `name`, `hyperparameters.epochs`, … */
  field: string
  code: ProblemCode
  params: Record<string, number>
}

const MOST_PROCESSES = 64

const STEP_OF: Record<string, StepIndex> = {
  name: 0,
  description: 0,
  intent: 0,
  output_name: 0,
  objective: 1,
  model_id: 1,
  dataset_id: 1,
  dataset_version: 1,
  dataset_split: 1,
  validation_dataset_id: 1,
  validation_version: 1,
  validation_split: 1,
}

/** The step on which a field stands. */
export const stepOf = (field: string): StepIndex => STEP_OF[field.split('.')[0] ?? ''] ?? 2

export const knobField = (name: string) => `hyperparameters.${name}`

// As the server has it: a letter, digit or _ first; then also dots and hyphens.
const OUTPUT_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u

function problem(field: string, code: ProblemCode, params: Problem['params'] = {}): Problem {
  return { field, code, params }
}

function* checkText(field: 'name' | 'description' | 'output_name', text: string, max: number) {
  if (!text.trim() && field !== 'description') yield problem(field, 'required')
  else if (text.trim().length > max) yield problem(field, 'too_long', { max })
}

function checkNumber(knob: Knob, value: unknown): Problem | null {
  const field = knobField(knob.name)
  if (typeof value !== 'number' || !Number.isFinite(value)) return problem(field, 'not_a_number')
  if (knob.kind === 'integer' && !Number.isInteger(value)) return problem(field, 'not_whole')
  const { atLeast, moreThan, atMost, lessThan } = knob
  if (atLeast !== undefined && value < atLeast) return problem(field, 'at_least', { limit: atLeast })
  if (moreThan !== undefined && value <= moreThan) {
    return problem(field, 'more_than', { limit: moreThan })
  }
  if (atMost !== undefined && value > atMost) return problem(field, 'at_most', { limit: atMost })
  if (lessThan !== undefined && value >= lessThan) {
    return problem(field, 'less_than', { limit: lessThan })
  }
  return null
}

/** One knob against the engine's own schema. */
export function checkKnob(knob: Knob, value: unknown): Problem | null {
  if (isEmpty(knob, value)) {
    return knob.empty === undefined ? problem(knobField(knob.name), 'required') : null
  }
  if (knob.kind === 'integer' || knob.kind === 'number') return checkNumber(knob, value)
  if (knob.kind === 'choice' && !knob.choices.includes(String(value))) {
    return problem(knobField(knob.name), 'required')
  }
  return null
}

/** The rule between two knobs that no schema can say; the engine checks it too. */
function* checkMicroBatch({ micro_batch_size: micro, batch_size: batch }: Record<string, unknown>) {
  if (typeof micro !== 'number' || typeof batch !== 'number') return
  const field = knobField('micro_batch_size')
  if (micro < 1) yield problem(field, 'at_least', { limit: 1 })
  else if (micro > batch) yield problem(field, 'micro_batch_too_large', { limit: batch })
}

function* checkProcesses(processes: number) {
  const field = 'distributed.processes'
  if (!Number.isInteger(processes)) yield problem(field, 'not_whole')
  else if (processes < 1) yield problem(field, 'at_least', { limit: 1 })
  else if (processes > MOST_PROCESSES) yield problem(field, 'at_most', { limit: MOST_PROCESSES })
}

/** Another version or part of the same data set; whether they share rows the server can tell. */
const isAnother = ({ dataset_version, validation_version, validation_split }: Values): boolean =>
  validation_split !== null || validation_version !== dataset_version

/** Everything that is wrong, in the order of the fields. */
export function problemsOf(values: Values): Problem[] {
  const found: Problem[] = [
    ...checkText('name', values.name, 200),
    ...checkText('output_name', values.output_name, 100),
    ...checkText('description', values.description, 5000),
  ]
  const output = values.output_name.trim()
  if (output && !OUTPUT_NAME.test(output)) found.push(problem('output_name', 'bad_output_name'))
  if (!values.model_id) found.push(problem('model_id', 'required'))
  if (!values.dataset_id) found.push(problem('dataset_id', 'required'))
  else if (values.validation_dataset_id === values.dataset_id && !isAnother(values)) {
    found.push(problem('validation_dataset_id', 'same_validation'))
  }
  const knobs = knobsOf(values)
  for (const knob of knobs) {
    const wrong = checkKnob(knob, values.hyperparameters[knob.name])
    if (wrong) found.push(wrong)
  }
  if (knobs.some(({ name }) => name === 'micro_batch_size')) {
    found.push(...checkMicroBatch(values.hyperparameters))
  }
  found.push(...checkProcesses(values.distributed.processes))
  return found
}

/** The last step that may be opened: the first one with something wrong, else the review. */
export function furthestStep(problems: readonly { field: string }[]): StepIndex {
  return problems.reduce<StepIndex>(
    (least, { field }) => (stepOf(field) < least ? stepOf(field) : least),
    3,
  )
}
