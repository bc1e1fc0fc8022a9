/**
 * The lines that are in memory, by row: pages of a sparse list, the least recently seen of which are
 * dropped. A row is the place of a line among those that are shown, counted from 0.
 */
import type { LogLine } from './log-api'

export const PAGE_ROWS = 500
/** About 12 screens of paper; with the limit of characters it bounds the memory. */
export const MAX_ROWS = 20_000
export const MAX_CHARS = 16_000_000

interface Page {
  lines: (LogLine | undefined)[]
  held: number
  chars: number
}

export class RowStore {
  /** Rows that exist, in memory or not. */
  count = 0
  private readonly pages = new Map<number, Page>()
  private rows = 0
  private chars = 0

  /** How many lines are in memory. */
  get held(): number {
    return this.rows
  }

  row(index: number): LogLine | undefined {
    return this.pages.get(Math.floor(index / PAGE_ROWS))?.lines[index % PAGE_ROWS]
  }

  put(index: number, line: LogLine): void {
    const key = Math.floor(index / PAGE_ROWS)
    const page = this.pages.get(key) ?? { lines: [], held: 0, chars: 0 }
    if (page.lines[index % PAGE_ROWS] === undefined) {
      page.held += 1
      this.rows += 1
      page.chars += line.text.length
      this.chars += line.text.length
    }
    page.lines[index % PAGE_ROWS] = line
    // Put in again: the order of a map is the order of use.
    this.pages.delete(key)
    this.pages.set(key, page)
    if (index >= this.count) this.count = index + 1
  }

  /** The first row of [first, last) that is not in memory and is not `left`; -1 when none is. */
  firstMissing(first: number, last: number, left: (row: number) => boolean = () => false): number {
    for (let row = Math.max(0, first); row < Math.min(last, this.count); row++) {
      if (this.row(row) === undefined && !left(row)) return row
    }
    return -1
  }

  /** Drops what is too much, the rows of [first, last) excepted. */
  trim(first: number, last: number): void {
    const [from, to] = [Math.floor(first / PAGE_ROWS), Math.floor(Math.max(first, last - 1) / PAGE_ROWS)]
    for (let key = from; key <= to; key++) {
      const page = this.pages.get(key)
      if (!page) continue
      this.pages.delete(key)
      this.pages.set(key, page)
    }
    for (const [key, page] of this.pages) {
      if (this.rows <= MAX_ROWS && this.chars <= MAX_CHARS) return
      if (key >= from && key <= to) return // seen now, as are all that follow
      this.pages.delete(key)
      this.rows -= page.held
      this.chars -= page.chars
    }
  }
}
