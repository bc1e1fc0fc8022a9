/** Order, filters and columns survive the address bar; what is not known there does no harm. */
import { expect, it } from 'vitest'
import {
  DEFAULT_COLUMNS,
  DEFAULT_SORT,
  INITIAL,
  isFiltered,
  moved,
  paramsOf,
  parseColumns,
  parseSorts,
  sortsText,
  toggledSort,
  tookSeconds,
  viewQuery,
} from './list-view'

it('measures to the end, or to now', () => {
  const started_at = '2026-01-01T00:00:00Z'
  const now = Date.parse('2026-01-01T00:01:00Z')
  expect(tookSeconds({ started_at, finished_at: null }, now)).toBe(60)
  expect(tookSeconds({ started_at, finished_at: '2026-01-01T00:00:10Z' }, now)).toBe(10)
  expect(tookSeconds({ started_at: null, finished_at: null }, now)).toBeNull()
})

it('writes what it reads, and survives an address from elsewhere', () => {
  for (const text of ['-created_at', 'name', '-loss,name']) expect(sortsText(parseSorts(text))).toBe(text)
  expect(sortsText(parseSorts('-nonsense,tags'))).toBe(DEFAULT_SORT)
  expect(parseColumns('owner,model,nonsense,owner')).toEqual(['owner', 'model'])
  expect(parseColumns(DEFAULT_COLUMNS.join())).toEqual(DEFAULT_COLUMNS)
})

it('goes from rising to falling to gone, column after column', () => {
  const first = toggledSort(DEFAULT_SORT, 'loss')
  expect(first).toBe('loss')
  expect(toggledSort(first, 'name')).toBe('loss,name')
  expect(toggledSort('loss,name', 'loss')).toBe('-loss,name')
  expect(toggledSort('-loss,name', 'loss')).toBe('name')
  expect(toggledSort('-name', 'name')).toBe(DEFAULT_SORT)
  expect(toggledSort(DEFAULT_SORT, 'created_at')).toBe(DEFAULT_SORT)
})

it('moves by one place and stays at the ends', () => {
  expect(moved(['a', 'b', 'c'], 'c', -1)).toEqual(['a', 'c', 'b'])
  expect(moved(['a', 'b', 'c'], 'a', -1)).toEqual(['a', 'b', 'c'])
  expect(moved(['a', 'b', 'c'], 'x', 1)).toEqual(['a', 'b', 'c'])
})

it('asks the server only for what narrows the list', () => {
  expect(paramsOf(INITIAL)).toEqual({})
  expect(isFiltered(INITIAL)).toBe(false)
  const state = { ...INITIAL, q: 'bot', status: 'FAILED,STOPPED', tag: 'demo', sort: '-best' }
  expect(isFiltered(state)).toBe(true)
  expect(paramsOf(state)).toEqual({
    q: 'bot',
    status: ['FAILED', 'STOPPED'],
    tag: ['demo'],
    sort: '-best',
  })
})

it('knows a view whatever the order of its parts', () => {
  expect(viewQuery('?sort=name&q=a&foreign=1')).toBe(viewQuery('?q=a&sort=name'))
  expect(viewQuery('')).toBe('')
})
