/**
 * Where rows come from: all lines by their number, or those that a filter leaves by their place
 * among them. Both give any part of the log without what lies before it.
 */
import { find, getMatches, getPage, type LogLine, type LogPage, type Params } from './log-api'
import { PAGE_ROWS } from './row-store'

export interface Opened {
  count: number
  rows: [row: number, line: LogLine][]
  /** Lines of the whole log. */
  total: number
  /** Where the stream goes on. */
  next: string
}

export interface RowSource {
  /** The end of the log as it is now. */
  open: (signal: AbortSignal) => Promise<Opened>
  /** About `count` rows from `first`; `before`: the line of the row before, if it is known. */
  rows: (
    first: number,
    count: number,
    before: LogLine | undefined,
    signal: AbortSignal,
  ) => Promise<[row: number, line: LogLine][]>
  /** The row of the line with this number, or of the next one that is shown; null: none follows. */
  rowOf: (number: number) => Promise<number | null>
  /** Whether rows are lines: then a number tells the row. */
  plain: boolean
}

const placed = (first: number, lines: LogLine[]) =>
  lines.map((line, n): [number, LogLine] => [first + n, line])

const TRIES = 40

/** Asks again until all of a huge log was looked at: each time the server goes on. */
async function counted<T extends { matched: number | null }>(ask: () => Promise<T>): Promise<T> {
  let answer = await ask()
  for (let n = 0; n < TRIES && answer.matched === null; n++) answer = await ask()
  return answer
}

function plainSource(task: string, attempt: number): RowSource {
  const byNumber = (lines: LogLine[]) => lines.map((line): [number, LogLine] => [line.number - 1, line])
  return {
    plain: true,
    open: async (signal) => {
      const page = await getPage(task, { attempt, tail: true, limit: PAGE_ROWS }, signal)
      return { count: page.total, rows: byNumber(page.items), total: page.total, next: page.next }
    },
    rows: async (first, count, _before, signal) => {
      // The server gives what lies around a line, and less where lines are long.
      const middle = count < PAGE_ROWS ? 0 : Math.floor(count / 2)
      const query = { attempt, line: first + 1 + middle, limit: count }
      return byNumber((await getPage(task, query, signal)).items)
    },
    rowOf: (number) => Promise.resolve(number - 1),
  }
}

function filteredSource(task: string, attempt: number, filter: Params): RowSource {
  const query = { attempt, ...filter }
  return {
    plain: false,
    open: async (signal) => {
      const page = await getPage(task, { ...query, tail: true, limit: PAGE_ROWS }, signal)
      const count = page.matched ?? (await counted(() => getMatches(task, query, signal))).matched ?? 0
      const first = Math.max(0, count - page.items.length)
      return { count, rows: placed(first, page.items), total: page.total, next: page.next }
    },
    rows: async (first, count, before, signal) => {
      let after = before?.id
      if (!after && first > 0) {
        after = (await find(task, { ...query, index: first }, signal)).line?.id
        if (!after) return []
      }
      const lines: LogLine[] = []
      // Of a huge log the server looks through a part at a time.
      for (let tries = 0; tries < 5 && lines.length < count; tries++) {
        const page: LogPage = await getPage(task, { ...query, after, limit: count - lines.length }, signal)
        lines.push(...page.items)
        if (page.next === after) break
        after = page.next
      }
      return placed(first, lines)
    },
    rowOf: async (number) => {
      const found = await counted(() => find(task, { ...query, from: number - 1, direction: 'next' }))
      // The search goes round: what lies before does not follow.
      return found.line && found.line.number >= number && found.index ? found.index - 1 : null
    },
  }
}

/** Rows of an attempt under a filter (`hidingParams`). */
export const sourceOf = (task: string, attempt: number, filter: Params): RowSource =>
  Object.keys(filter).length > 0 ? filteredSource(task, attempt, filter) : plainSource(task, attempt)
