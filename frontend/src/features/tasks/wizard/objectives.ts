/** What can be learnt from which rows by which model: pure, so that cards and plan agree. */
import type { Dataset, Model } from './api'
import type { Schemas } from '@/api/client'

export type Objective = Schemas['Objective']

/** Ways to learn from pairs of a preferred and a rejected answer; one card stands for all. */
export const PREFERENCES = ['dpo', 'ipo', 'orpo', 'simpo', 'cpo'] as const satisfies readonly Objective[]

const isPreference = (objective: Objective): objective is (typeof PREFERENCES)[number] =>
  (PREFERENCES as readonly Objective[]).includes(objective)

/** The cards, the most usual first. */
export const CARDS = [
  'sft',
  'dpo',
  'kto',
  'classify',
  'seq2seq',
  'pretrain',
  'reward',
] as const satisfies readonly Objective[]

export type Card = (typeof CARDS)[number]

export const cardOf = (objective: Objective): Card => (isPreference(objective) ? 'dpo' : objective)

/** Why an objective can not be chosen: the rows are of another kind, or the model is. */
export type Obstacle = 'rows' | 'model'

type Source<T extends Dataset | Model> = Pick<T, 'objectives' | 'status'> | undefined

const unable = (source: Source<Dataset | Model>, objective: Objective): boolean =>
  source?.status === 'ready' && !source.objectives.includes(objective)

export function obstacleOf(
  objective: Objective,
  dataset: Source<Dataset>,
  model: Source<Model>,
): Obstacle | null {
  if (unable(dataset, objective)) return 'rows'
  return unable(model, objective) ? 'model' : null
}

/**
 * The objective for these rows and this model: the present one as long as it fits, else the first
 * that fits both, else the first that fits the rows.
 */
export function fittingObjective(
  present: Objective,
  dataset: Source<Dataset>,
  model: Source<Model>,
): Objective {
  if (dataset?.status !== 'ready' || obstacleOf(present, dataset, model) === null) return present
  const both = dataset.objectives.find((each) => !unable(model, each))
  if (both) return both
  return dataset.objectives.includes(present) ? present : (dataset.objectives[0] ?? present)
}
