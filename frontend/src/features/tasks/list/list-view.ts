/** How the list is shown: filters, order and columns, as text for the address bar and for a view. */
import type { Task, TaskListParams } from '../api'

/** Every column; name and status are always there: without them a row says nothing. */
export const COLUMNS = [
  'model',
  'dataset',
  'objective',
  'method',
  'progress',
  'loss',
  'best',
  'duration',
  'tags',
  'owner',
  'created_at',
] as const
export type Column = (typeof COLUMNS)[number]

const HIDDEN_AT_FIRST: readonly Column[] = ['objective', 'best', 'tags', 'owner']
export const DEFAULT_COLUMNS = COLUMNS.filter((each) => !HIDDEN_AT_FIRST.includes(each))

export type ColumnKey = 'status' | 'name' | Column
/** What the server orders by: every column but the tags. */
const SORT_KEYS = ['name', 'status', ...COLUMNS.filter((each) => each !== 'tags')] as const
export type SortKey = (typeof SORT_KEYS)[number]

export const isSortKey = (key: string): key is SortKey => SORT_KEYS.some((each) => each === key)

export interface Sort {
  key: SortKey
  descending: boolean
}

/** The server's own order: newest first. */
export const DEFAULT_SORT = '-created_at'

/** `-loss,name`: first by what comes first. What is not known is left out. */
export function parseSorts(text: string): Sort[] {
  return text.split(',').flatMap((each) => {
    const key = each.replace(/^-/, '')
    return isSortKey(key) ? [{ key, descending: each.startsWith('-') }] : []
  })
}

export const sortsText = (sorts: readonly Sort[]): string =>
  sorts.map(({ key, descending }) => `${descending ? '-' : ''}${key}`).join(',') || DEFAULT_SORT

/**
 * The order after a click on a column: rising, falling, gone. A further column comes after those that
 * are there; the server's own order gives way.
 */
export function toggledSort(text: string, key: SortKey): string {
  const sorts = text === DEFAULT_SORT && key !== 'created_at' ? [] : parseSorts(text)
  const found = sorts.find((each) => each.key === key)
  if (!found) return sortsText([...sorts, { key, descending: false }])
  if (!found.descending) return sortsText(sorts.map((each) => (each === found ? { key, descending: true } : each)))
  return sortsText(sorts.filter((each) => each !== found))
}

/** Columns in the order given, each once. */
export function parseColumns(text: string): Column[] {
  const known = text.split(',').filter((each): each is Column => COLUMNS.some((one) => one === each))
  return [...new Set(known)]
}

/** Where a column goes when it is moved by one place; at the end it stays. */
export function moved<T>(list: readonly T[], item: T, by: -1 | 1): T[] {
  const from = list.indexOf(item)
  const to = from + by
  const next = [...list]
  if (from < 0 || to < 0 || to >= list.length) return next
  next.splice(to, 0, ...next.splice(from, 1))
  return next
}

/** The filters of the address; lists are parted by commas, which names of tags do not have. */
export const FILTERS = ['status', 'method', 'objective', 'model', 'dataset', 'owner', 'tag'] as const
export type FilterName = (typeof FILTERS)[number]

export const INITIAL = {
  q: '',
  status: '',
  method: '',
  objective: '',
  model: '',
  dataset: '',
  owner: '',
  tag: '',
  sort: DEFAULT_SORT,
  columns: '',
  pin: 'name',
}
export type ListState = typeof INITIAL

export const valuesOf = (text: string): string[] => (text ? text.split(',') : [])

/** Whether anything narrows the list down. */
export const isFiltered = (state: ListState): boolean =>
  state.q !== '' || FILTERS.some((name) => state[name] !== '')

/** What the server is asked for. What an address from elsewhere has wrong, it refuses in words. */
export function paramsOf(state: ListState): TaskListParams {
  const lists = {
    status: state.status,
    method: state.method,
    objective: state.objective,
    model_id: state.model,
    dataset_id: state.dataset,
    owner: state.owner,
    tag: state.tag,
  }
  const given = Object.entries(lists).filter(([, text]) => text !== '')
  return {
    ...(state.q && { q: state.q }),
    ...Object.fromEntries(given.map(([name, text]) => [name, valuesOf(text)])),
    ...(state.sort !== DEFAULT_SORT && { sort: sortsText(parseSorts(state.sort)) }),
  }
}

/** The part of the address that makes a view; the way it is written does not count. */
export function viewQuery(search: string): string {
  const params = new URLSearchParams(search)
  const kept = Object.keys(INITIAL).flatMap((name) => {
    const value = params.get(name)
    return value ? [[name, value] as [string, string]] : []
  })
  return new URLSearchParams(kept).toString()
}

/** Seconds a task has run, or ran; null before it began. */
export function tookSeconds({ started_at: from, finished_at: to }: Pick<Task, 'started_at' | 'finished_at'>, now: number) {
  if (!from) return null
  return Math.max(0, ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000)
}
