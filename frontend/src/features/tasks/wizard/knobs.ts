/**
 * The hyper-parameters as the engine describes them, read for a form: kind of field, range, unit,
 * group. A knob added in Python appears here without a line of TypeScript.
 */
import schema from '@/api/hyperparameters.gen.json'

export type KnobKind = 'integer' | 'number' | 'boolean' | 'choice' | 'names'

export interface Knob {
  name: string
  kind: KnobKind
  group: 'basic' | 'advanced'
  unit?: string
  /** The choices for which the knob matters; none given: all of them. */
  methods?: readonly string[]
  objectives?: readonly string[]
  /** Values of other knobs, one of which has to be chosen. */
  variants?: readonly string[]
  initial: unknown
  /** What an empty field stands for (null, `auto`); without it the field must be filled. */
  empty?: string | null
  atLeast?: number
  moreThan?: number
  atMost?: number
  lessThan?: number
  choices: readonly string[]
  description: string
}

interface Branch {
  type?: string
  const?: string
  enum?: string[]
  $ref?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
}

interface Property extends Branch {
  anyOf?: Branch[]
  default?: unknown
  description?: string
  'x-group'?: string
  'x-unit'?: string
  'x-methods'?: string[]
  'x-objectives'?: string[]
  'x-variants'?: string[]
}

interface KnobSchema {
  $defs?: Record<string, Branch>
  properties: Record<string, Property>
}

const KIND_OF: Record<string, KnobKind> = {
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  array: 'names',
}

function readKnob(name: string, property: Property, defs: Record<string, Branch>): Knob {
  const branches = property.anyOf ?? [property]
  // What an empty field means is a branch of its own: null, or one fixed word.
  const fixed = branches.find((each) => each.type === 'null' || each.const !== undefined)
  const main = branches.find((each) => each !== fixed) ?? property
  const target = main.$ref ? (defs[main.$ref.split('/').pop() ?? ''] ?? main) : main
  const kind = target.enum ? 'choice' : KIND_OF[target.type ?? '']
  if (!kind) throw new Error(`The form can not show ${name}: unknown type ${String(target.type)}`)
  return {
    name,
    kind,
    group: property['x-group'] === 'basic' ? 'basic' : 'advanced',
    unit: property['x-unit'],
    methods: property['x-methods'],
    objectives: property['x-objectives'],
    variants: property['x-variants'],
    initial: property.default,
    ...(fixed && { empty: fixed.const ?? null }),
    atLeast: target.minimum,
    moreThan: target.exclusiveMinimum,
    atMost: target.maximum,
    lessThan: target.exclusiveMaximum,
    choices: target.enum ?? [],
    description: property.description ?? '',
  }
}

export function readKnobs({ properties, $defs = {} }: KnobSchema): Knob[] {
  return Object.entries(properties).map(([name, property]) => readKnob(name, property, $defs))
}

export const KNOBS: readonly Knob[] = readKnobs(schema as KnobSchema)

export const knobNamed = (name: string): Knob | undefined =>
  KNOBS.find((each) => each.name === name)

/** What decides which knobs matter. */
export interface Choices {
  method: string
  objective: string
  hyperparameters: Record<string, unknown>
  validation_dataset_id?: string | null
  /** The part of the same data that is measured with. */
  validation_part?: string | null
}

/** What the schema can not say: beside these choices a knob does nothing. */
const IDLE: Record<string, (choices: Choices) => boolean> = {
  evaluation_fraction: ({ validation_dataset_id, validation_part }) =>
    Boolean(validation_dataset_id ?? validation_part),
  label_smoothing: ({ objective, hyperparameters }) =>
    objective === 'classify' && hyperparameters.label_kind === 'regression',
  // Without packing a decoder computes one sample after the other.
  micro_batch_size: ({ objective, hyperparameters }) =>
    hyperparameters.packing === false && (knobNamed('packing')?.objectives?.includes(objective) ?? true),
}

/** The knobs that matter for a run of this kind. */
export function knobsOf(choices: Choices): Knob[] {
  const { method, objective, hyperparameters } = choices
  const chosen = new Set(
    KNOBS.filter(({ kind }) => kind === 'choice').map(({ name }) => hyperparameters[name]),
  )
  return KNOBS.filter(
    ({ name, methods, objectives, variants }) =>
      (!methods || methods.includes(method)) &&
      (!objectives || objectives.includes(objective)) &&
      (!variants || variants.some((each) => chosen.has(each))) &&
      !IDLE[name]?.(choices),
  )
}

/** The values of a run in which nobody touched anything. */
export const initialKnobs = (): Record<string, unknown> =>
  Object.fromEntries(KNOBS.map(({ name, initial }) => [name, initial]))

/** Whether a field shows nothing, since the value is the one that an empty field stands for. */
export const isEmpty = (knob: Knob, value: unknown): boolean =>
  value === undefined || value === '' || (knob.empty !== undefined && value === knob.empty)

export const sameValue = (a: unknown, b: unknown): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b)
