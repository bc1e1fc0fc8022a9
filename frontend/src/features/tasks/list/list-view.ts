/** How the list is shown: order and columns, as text for the address bar and for the next visit. */
import type { Task } from '../api'

/** Name and status are always there: without them a row says nothing. */
export const COLUMNS = [
  'model',
  'dataset',
  'method',
  'progress',
  'loss',
  'took',
  'owner',
  'created',
] as const
export type Column = (typeof COLUMNS)[number]

const HIDDEN_AT_FIRST: readonly Column[] = ['owner']
export const DEFAULT_COLUMNS = COLUMNS.filter((each) => !HIDDEN_AT_FIRST.includes(each))

const SORT_KEYS = ['name', 'status', ...COLUMNS] as const
export type SortKey = (typeof SORT_KEYS)[number]

export interface Sort {
  key: SortKey
  descending: boolean
}

/** The server's own order: newest first. */
export const DEFAULT_SORT = '-created'

export function parseSort(text: string): Sort {
  const key = SORT_KEYS.find((each) => each === text.replace(/^-/, ''))
  return key ? { key, descending: text.startsWith('-') } : { key: 'created', descending: true }
}

/** `null` asks for the server's order. */
export const sortText = (sort: Sort | null): string =>
  sort ? `${sort.descending ? '-' : ''}${sort.key}` : DEFAULT_SORT

export function parseColumns(text: string): Column[] {
  const wanted = text.split(',')
  return COLUMNS.filter((each) => wanted.includes(each))
}

const lossOf = ({ metrics }: Task): number | null => metrics.eval_loss ?? metrics.loss ?? null

/** Seconds a task has run, or ran; null before it began. */
export function tookSeconds({ started_at: from, finished_at: to }: Task, now: number) {
  if (!from) return null
  return Math.max(0, ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000)
}

function valueOf(task: Task, key: SortKey, now: number): string | number | null {
  switch (key) {
    case 'model':
      return task.model.name
    case 'dataset':
      return task.dataset.name
    case 'loss':
      return lossOf(task)
    case 'took':
      return tookSeconds(task, now)
    case 'created':
      return Date.parse(task.created_at)
    default:
      return task[key]
  }
}

/** A sorted copy; what has no value yet comes last, whichever the direction. */
export function sortTasks(tasks: readonly Task[], { key, descending }: Sort, now: number): Task[] {
  const sign = descending ? -1 : 1
  return tasks.toSorted((left, right) => {
    const [a, b] = [valueOf(left, key, now), valueOf(right, key, now)]
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    if (typeof a === 'string' || typeof b === 'string') {
      return sign * String(a).localeCompare(String(b), undefined, { numeric: true })
    }
    return sign * (a - b)
  })
}
