/** What a column is called. */
import type { TFunction } from 'i18next'
import type { ColumnKey } from './list-view'

const TITLES = {
  name: 'general.name',
  status: 'general.status',
  model: 'tasks.fields.model',
  dataset: 'tasks.fields.dataset',
  objective: 'tasks.fields.objective',
  method: 'tasks.fields.method',
  progress: 'tasks.columns.progress',
  loss: 'tasks.columns.loss',
  best: 'tasks.columns.best',
  duration: 'tasks.columns.took',
  tags: 'tasks.columns.tags',
  owner: 'tasks.fields.owner',
  created_at: 'general.created',
} as const satisfies Record<ColumnKey, string>

export const columnTitle = (t: TFunction, key: ColumnKey): string => t(TITLES[key])
