/** Order and columns survive the address bar; rows without a value never push others away. */
import { expect, it } from 'vitest'
import type { Task } from '../api'
import {
  DEFAULT_COLUMNS,
  DEFAULT_SORT,
  parseColumns,
  parseSort,
  sortTasks,
  sortText,
  tookSeconds,
} from './list-view'

const task = (name: string, changed: Partial<Task> = {}) =>
  ({
    name,
    metrics: {},
    model: { id: 'm', name: 'M' },
    created_at: '2026-01-01T00:00:00Z',
    started_at: null,
    finished_at: null,
    ...changed,
  }) as Task

const names = (tasks: Task[]) => tasks.map(({ name }) => name).join(' ')

it('puts rows without a value last, up and down', () => {
  const tasks = [
    task('a', { metrics: { loss: 2 } }),
    task('b'),
    task('c', { metrics: { loss: 9, eval_loss: 1 } }),
  ]
  expect(names(sortTasks(tasks, { key: 'loss', descending: false }, 0))).toBe('c a b')
  expect(names(sortTasks(tasks, { key: 'loss', descending: true }, 0))).toBe('a c b')
})

it('counts inside names', () => {
  const tasks = [task('run 10'), task('run 9'), task('Run 1')]
  expect(names(sortTasks(tasks, { key: 'name', descending: false }, 0))).toBe('Run 1 run 9 run 10')
})

it('keeps the order of equals and leaves the list as it was', () => {
  const tasks = [task('b'), task('a')]
  expect(names(sortTasks(tasks, { key: 'model', descending: true }, 0))).toBe('b a')
  expect(names(tasks)).toBe('b a')
})

it('measures to the end, or to now', () => {
  const started_at = '2026-01-01T00:00:00Z'
  const now = Date.parse('2026-01-01T00:01:00Z')
  expect(tookSeconds(task('a', { started_at }), now)).toBe(60)
  expect(tookSeconds(task('a', { started_at, finished_at: '2026-01-01T00:00:10Z' }), now)).toBe(10)
  expect(tookSeconds(task('a'), now)).toBeNull()
})

it('writes what it reads, and survives an address from elsewhere', () => {
  for (const text of ['-created', 'name', '-loss']) expect(sortText(parseSort(text))).toBe(text)
  expect(sortText(parseSort('-nonsense'))).toBe(DEFAULT_SORT)
  expect(sortText(null)).toBe(DEFAULT_SORT)
  expect(parseColumns('owner,model,nonsense')).toEqual(['model', 'owner'])
  expect(parseColumns(DEFAULT_COLUMNS.join())).toEqual(DEFAULT_COLUMNS)
})
