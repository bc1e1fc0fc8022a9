/** The steps of a preparation as a list that is edited: adding, changing, moving, removing. Pure. */
import type { Schemas } from '@/api/client'

export type Step = Schemas['PreviewRequest']['steps'][number]
export type StepKind = Step['kind']
export type StepOf<Kind extends StepKind> = Extract<Step, { kind: Kind }>
export type Condition = StepOf<'filter'>['conditions'][number]
export type Change = StepOf<'map'>['changes'][number]
export type ChangeKind = Change['kind']

/** In the order in which they are offered. */
export const STEP_KINDS = [
  'filter',
  'exclude',
  'map',
  'sample',
  'shuffle',
  'concatenate',
  'mix',
  'split',
] as const satisfies readonly StepKind[]

/** A step in the list; `key` stays with it wherever it is moved. */
export interface Listed {
  key: number
  step: Step
}

export interface StepList {
  items: readonly Listed[]
  nextKey: number
}

export type StepAction =
  | { type: 'add'; kind: StepKind }
  | { type: 'change'; key: number; step: Step }
  | { type: 'move'; key: number; by: -1 | 1 }
  | { type: 'remove'; key: number }
  | { type: 'load'; steps: readonly Step[] }

export const newCondition = (): Condition => ({
  field: 'text',
  op: 'contains',
  value: '',
  ignore_case: true,
})

/** A step as it begins; what only the user can say is left empty. */
export function newStep(kind: StepKind): Step {
  switch (kind) {
    case 'filter':
      return { kind, conditions: [newCondition()], match: 'all', keep: true }
    case 'exclude':
      return { kind, findings: [], rows: [] }
    case 'map':
      return { kind, changes: [{ kind: 'trim' }] }
    case 'sample':
      return { kind, fraction: 0.1, rows: null, seed: 0 }
    case 'shuffle':
      return { kind, seed: 0 }
    case 'concatenate':
      return { kind, sources: [{ dataset_id: '' }] }
    case 'mix':
      return { kind, sources: [{ dataset_id: '', weight: 1 }], weight: 1, repeat: false, seed: 0 }
    case 'split':
      return {
        kind,
        by: 'random',
        fractions: { validation: 0.1 },
        rest: 'train',
        seed: 0,
        keep_duplicates_together: true,
      }
  }
}

export function listOf(steps: readonly Step[]): StepList {
  return { items: steps.map((step, key) => ({ key, step })), nextKey: steps.length }
}

function moved(items: readonly Listed[], key: number, by: -1 | 1): readonly Listed[] {
  const from = items.findIndex((each) => each.key === key)
  const [here, there] = [items[from], items[from + by]]
  if (!here || !there) return items
  return items.map((each, n) => (n === from ? there : n === from + by ? here : each))
}

export function stepListReducer(list: StepList, action: StepAction): StepList {
  const { items, nextKey } = list
  switch (action.type) {
    case 'add':
      return { items: [...items, { key: nextKey, step: newStep(action.kind) }], nextKey: nextKey + 1 }
    case 'change':
      return {
        ...list,
        items: items.map((each) => (each.key === action.key ? { ...each, step: action.step } : each)),
      }
    case 'move':
      return { ...list, items: moved(items, action.key, action.by) }
    case 'remove':
      return { ...list, items: items.filter((each) => each.key !== action.key) }
    case 'load':
      return {
        items: action.steps.map((step, n) => ({ key: nextKey + n, step })),
        nextKey: nextKey + action.steps.length,
      }
  }
}
