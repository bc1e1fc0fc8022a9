/** What a column is called. */
import type { TFunction } from 'i18next'
import type { SortKey } from './list-view'

const TITLES = {
  name: 'general.name',
  status: 'general.status',
  model: 'tasks.fields.model',
  dataset: 'tasks.fields.dataset',
  method: 'tasks.fields.method',
  progress: 'tasks.columns.progress',
  loss: 'tasks.columns.loss',
  took: 'tasks.columns.took',
  owner: 'tasks.fields.owner',
  created: 'general.created',
} as const satisfies Record<SortKey, string>

export const columnTitle = (t: TFunction, key: SortKey): string => t(TITLES[key])
