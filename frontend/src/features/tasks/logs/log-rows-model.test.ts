import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LogLine } from './log-api'
import { LogRows } from './log-rows-model'
import { sourceOf } from './row-source'
import { serve } from '@/testing/render'

const line = (number: number): LogLine => ({
  id: `1-${number * 10}`, number, at: '2026-01-01T00:00:00Z', level: number % 10 ? 'info' : 'error',
  stream: 'out', text: `line ${number}`, continued: false, rank: null, colours: [],
})

/** A server with `total` lines, each tenth an error, that answers as the real one does. */
function logOf(state: { total: number; most?: number }) {
  const all = (query: URLSearchParams) =>
    Array.from({ length: state.total }, (_, n) => line(n + 1)).filter(
      ({ level }) => !query.has('level') || query.getAll('level').includes(level),
    )
  const asked = serve({
    'GET /api/v1/tasks/t/logs': (request) => {
      const query = new URL(request.url).searchParams
      const lines = all(query)
      const limit = Math.min(Number(query.get('limit')), state.most ?? Infinity)
      const after = Number(query.get('after')?.split('-')[1] ?? 0)
      let items = lines.filter(({ number }) => number * 10 > after).slice(0, limit)
      if (query.get('tail') === 'true') items = lines.slice(-limit)
      else if (query.has('line')) {
        const at = Math.max(0, Math.min(lines.length - limit, Number(query.get('line')) - 1 - Math.floor(limit / 2)))
        items = lines.slice(at, at + limit)
      }
      const last = query.get('tail') === 'true' ? state.total * 10 : items.at(-1)?.number
      const matched = query.has('level') ? lines.length : null
      return { body: { items, next: `1-${last ?? ''}`, total: state.total, matched, hidden: null } }
    },
    'GET /api/v1/tasks/t/logs/find': (request) => {
      const query = new URL(request.url).searchParams
      const lines = all(query)
      const k = query.has('index')
        ? Number(query.get('index')) - 1
        : lines.findIndex(({ number }) => number > Number(query.get('from')))
      return { body: { index: k + 1, matched: lines.length, line: lines[k] ?? null } }
    },
  })
  return asked
}

const loaded = (rows: LogRows, first: number, last: number) =>
  Array.from({ length: last - first }, (_, n) => rows.row(first + n)?.number)

async function opened(filter = {}) {
  const rows = new LogRows(sourceOf('t', 1, filter))
  await rows.open()
  return rows
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('all lines', () => {
  it('are known by number from the end, and loaded where one looks', async () => {
    const asked = logOf({ total: 20_000 })
    const rows = await opened()
    expect(rows.getSnapshot()).toMatchObject({ count: 20_000, total: 20_000, opened: true })
    expect(rows.row(19_999)?.number).toBe(20_000)
    rows.want(10_100, 10_140)
    await vi.runAllTimersAsync()
    expect(loaded(rows, 10_100, 10_103)).toEqual([10_101, 10_102, 10_103])
    expect(asked).toHaveLength(2)
  })

  it('are asked for where a thumb stops, not where it went by', async () => {
    const asked = logOf({ total: 20_000 })
    const rows = await opened()
    for (let row = 0; row < 18_000; row += 1000) rows.want(row, row + 40)
    await vi.runAllTimersAsync()
    expect(asked).toHaveLength(2)
    expect(rows.row(17_000)?.number).toBe(17_001)
  })

  it('come although an answer holds fewer than asked for', async () => {
    logOf({ total: 3000, most: 7 })
    const rows = await opened()
    rows.want(1000, 1040)
    await vi.runAllTimersAsync()
    expect(loaded(rows, 1000, 1040)).toEqual(Array.from({ length: 40 }, (_, n) => 1001 + n))
  })

  it('arrive once, also when a stream that comes back repeats some', async () => {
    logOf({ total: 20 })
    const rows = await opened()
    rows.arrived([line(19), line(20), line(21)])
    rows.arrived([line(21), line(22)])
    expect(rows.getSnapshot()).toMatchObject({ count: 22, total: 22 })
    expect(loaded(rows, 17, 22)).toEqual([18, 19, 20, 21, 22])
  })

  it('that were left out wait until they are asked for', async () => {
    const state = { total: 20 }
    const asked = logOf(state)
    const rows = await opened()
    state.total = 600
    rows.leftOut({ first_number: 21, last_number: 590 })
    rows.arrived([line(591)])
    rows.want(100, 140)
    await vi.runAllTimersAsync()
    expect(asked).toHaveLength(1)
    const gap = rows.gapAt(100)
    expect(gap).toBeDefined()
    if (gap) rows.openGap(gap)
    await vi.runAllTimersAsync()
    expect(rows.row(100)?.number).toBe(101)
  })

  it('are all there for copying, in memory or not', async () => {
    logOf({ total: 5000 })
    const rows = await opened()
    const lines = await rows.lines(10, 1510)
    expect(lines.map(({ number }) => number)).toEqual(Array.from({ length: 1500 }, (_, n) => 11 + n))
  })
})

describe('lines that pass a filter', () => {
  it('are rows without holes', async () => {
    logOf({ total: 30_000 })
    const rows = await opened({ level: ['error'] })
    expect(rows.getSnapshot()).toMatchObject({ count: 3000, total: 30_000 })
    expect(loaded(rows, 2998, 3000)).toEqual([29_990, 30_000])
    rows.want(1200, 1240)
    await vi.runAllTimersAsync()
    expect(loaded(rows, 1200, 1203)).toEqual([12_010, 12_020, 12_030])
    rows.want(0, 40)
    await vi.runAllTimersAsync()
    expect(loaded(rows, 0, 3)).toEqual([10, 20, 30])
    expect(await rows.source.rowOf(12_015)).toBe(1201)
    expect(await rows.source.rowOf(30_001)).toBeNull()
  })

  it('arrive behind the others, once', async () => {
    logOf({ total: 100 })
    const rows = await opened({ level: ['error'] })
    rows.arrived([line(100), line(110)])
    rows.arrived([line(110), line(120)])
    expect(loaded(rows, 8, 12)).toEqual([90, 100, 110, 120])
    expect(rows.getSnapshot()).toMatchObject({ count: 12, total: 120 })
  })
})

it('says what failed, and tries again', async () => {
  serve({ 'GET /api/v1/tasks/t/logs': () => ({ status: 503, body: { code: 'Unavailable' } }) })
  const rows = await opened()
  expect(rows.getSnapshot().error).toBeDefined()
  logOf({ total: 5 })
  rows.retry()
  await vi.runAllTimersAsync()
  expect(rows.getSnapshot()).toMatchObject({ error: undefined, count: 5 })
})
