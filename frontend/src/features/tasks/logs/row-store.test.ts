import { expect, it } from 'vitest'
import type { LogLine } from './log-api'
import { MAX_CHARS, MAX_ROWS, PAGE_ROWS, RowStore } from './row-store'

const line = (number: number, text = ''): LogLine => ({
  id: `1-${number}`, number, at: '2026-01-01T00:00:00Z', level: 'info', stream: 'out', text, continued: false, rank: null, colours: [],
})

it('knows what is missing, and what is to be left', () => {
  const store = new RowStore()
  store.count = 1000
  for (let row = 990; row < 1000; row++) store.put(row, line(row + 1))
  expect(store.firstMissing(980, 2000)).toBe(980)
  expect(store.firstMissing(990, 2000)).toBe(-1)
  expect(store.firstMissing(980, 1000, (row) => row < 985)).toBe(985)
  expect(store.firstMissing(-5, 1)).toBe(0)
})

it('takes a line twice as one', () => {
  const store = new RowStore()
  store.put(3, line(4, 'once'))
  store.put(3, line(4, 'once'))
  expect([store.held, store.count]).toEqual([1, 4])
})

it('holds a bounded number of lines, and those that are seen', () => {
  const store = new RowStore()
  for (let row = 0; row < MAX_ROWS * 3; row++) {
    store.put(row, line(row + 1))
    if (row % PAGE_ROWS === 0) store.trim(0, 50)
  }
  store.trim(0, 50)
  expect(store.held).toBeLessThanOrEqual(MAX_ROWS)
  expect(store.row(0)?.number).toBe(1)
  expect(store.row(PAGE_ROWS + 1)).toBeUndefined()
  expect(store.row(MAX_ROWS * 3 - 1)?.number).toBe(MAX_ROWS * 3)
  expect(store.count).toBe(MAX_ROWS * 3)
})

it('holds a bounded amount of text', () => {
  const store = new RowStore()
  const text = 'x'.repeat(64_000)
  for (let row = 0; row < 2000; row++) store.put(row, line(row + 1, text))
  store.trim(1990, 2000)
  expect(store.held * text.length).toBeLessThanOrEqual(MAX_CHARS + PAGE_ROWS * text.length)
  expect(store.row(1999)).toBeTruthy()
})
