/**
 * The rows of one log under one filter: opens the end, loads what is looked at, takes what arrives
 * live. One request at a time, always for what is wanted last, so that a thumb dragged over a million
 * lines asks for where it stops.
 */
import type { Gap, LogLine } from './log-api'
import type { RowSource } from './row-source'
import { PAGE_ROWS, RowStore } from './row-store'

export interface RowsState {
  count: number
  /** Lines of the whole log, hidden ones included. */
  total: number
  opened: boolean
  error: unknown
  /** Where the stream begins. */
  next: string
  gaps: readonly Gap[]
  /** Changes whenever a row does. */
  version: number
}

/** Of `ATTEMPT-OFFSET`; before the first line: -1. */
function offsetOf(id: string): number {
  const offset = id.split('-')[1]
  return offset ? Number(offset) : -1
}

const WAIT_MS = 40
const FEW_ROWS = 40

export class LogRows {
  private store = new RowStore()
  private state: RowsState = {
    count: 0, total: 0, opened: false, error: undefined, next: '', gaps: [], version: 0,
  }
  private readonly listeners = new Set<() => void>()
  private closed = new AbortController()
  /** What arrived while the end was being loaded; null: it is not. */
  private waiting: LogLine[] | null = null
  /** Offset of the last line that is known. */
  private seen = -1
  private wanted = { first: 0, last: 0 }
  private loading = false
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(readonly source: RowSource) {}

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  getSnapshot = () => this.state

  row = (index: number): LogLine | undefined => this.store.row(index)

  /** The gap that a row belongs to, while it is not loaded. */
  gapAt(row: number): Gap | undefined {
    if (!this.source.plain || this.store.row(row)) return undefined
    return this.state.gaps.find((gap) => row + 1 >= gap.first_number && row + 1 <= gap.last_number)
  }

  /** Loads the end; again after a failure. */
  async open(): Promise<void> {
    if (this.closed.signal.aborted) this.closed = new AbortController()
    const { signal } = this.closed
    this.waiting ??= []
    try {
      const { count, rows, total, next } = await this.source.open(signal)
      this.store = new RowStore()
      for (const [row, line] of rows) this.store.put(row, line)
      this.store.count = count
      this.seen = offsetOf(next)
      this.change({ opened: true, total, next, error: undefined, gaps: [] })
      const waiting = this.waiting ?? []
      this.waiting = null
      this.arrived(waiting)
      this.want(this.wanted.first, this.wanted.last)
    } catch (error) {
      if (!signal.aborted) this.change({ error })
    }
  }

  /** Lets go of what is under way; `open` begins anew. */
  close(): void {
    clearTimeout(this.timer)
    this.closed.abort()
  }

  /** These rows are looked at. */
  want(first: number, last: number): void {
    this.wanted = { first, last }
    this.store.trim(first, last)
    clearTimeout(this.timer)
    if (this.missing() >= 0) this.timer = setTimeout(() => void this.load(), WAIT_MS)
  }

  /** Tries again what could not be loaded. */
  retry(): void {
    this.change({ error: undefined })
    if (this.state.opened) this.want(this.wanted.first, this.wanted.last)
    else void this.open()
  }

  /** Lines that came from the stream, after all that there were. */
  arrived(lines: readonly LogLine[]): void {
    if (this.waiting) {
      this.waiting.push(...lines)
      return
    }
    const { store, source } = this
    let { total } = this.state
    for (const line of lines) {
      const offset = offsetOf(line.id)
      if (source.plain) store.put(line.number - 1, line)
      else if (offset > this.seen) store.put(store.count, line)
      this.seen = Math.max(this.seen, offset)
      total = Math.max(total, line.number)
    }
    store.trim(store.count - lines.length, store.count)
    this.change({ total })
  }

  /** Lines came too fast and were left out of the stream: they can be loaded. */
  leftOut(gap: Gap): void {
    if (!this.source.plain) {
      void this.open() // how many of them are shown, only the server knows
      return
    }
    this.store.count = Math.max(this.store.count, gap.last_number)
    this.change({ gaps: [...this.state.gaps, gap], total: Math.max(this.state.total, gap.last_number) })
  }

  openGap(gap: Gap): void {
    this.change({ gaps: this.state.gaps.filter((each) => each !== gap) })
    this.want(this.wanted.first, this.wanted.last)
  }

  /** Lines from `first` up to before `last`, loaded where they are not held. */
  async lines(first: number, last: number): Promise<LogLine[]> {
    const found = new Map<number, LogLine>()
    for (let row = first; row < last; ) {
      const held = this.store.row(row)
      if (held) {
        found.set(row++, held)
        continue
      }
      for (const [at, line] of await this.around(row, row)) found.set(at, line)
      if (!found.has(row)) throw new Error(`no line for row ${row}`)
      while (found.has(row)) row++
    }
    return [...found].filter(([row]) => row >= first && row < last).sort(([a], [b]) => a - b).map(([, line]) => line)
  }

  private missing(): number {
    return this.store.firstMissing(this.wanted.first, this.wanted.last, (row) => this.gapAt(row) !== undefined)
  }

  private async load(): Promise<void> {
    if (this.loading || !this.state.opened || this.state.error !== undefined) return
    this.loading = true
    const { signal } = this.closed
    try {
      for (let row = this.missing(); row >= 0; row = this.missing()) {
        const rows = await this.around(row, Math.floor(row / PAGE_ROWS) * PAGE_ROWS)
        for (const [at, line] of rows) if (at < this.store.count) this.store.put(at, line)
        if (this.missing() === row) throw new Error(`no line for row ${row}`)
        this.store.trim(this.wanted.first, this.wanted.last)
        this.change({})
      }
    } catch (error) {
      if (!signal.aborted) this.change({ error })
    } finally {
      this.loading = false
    }
  }

  /** `row` and others from `first` on. Long lines end an answer early: then it is asked for itself. */
  private async around(row: number, first: number): Promise<[number, LogLine][]> {
    const ask = (from: number, count: number) =>
      this.source.rows(from, count, this.store.row(from - 1), this.closed.signal)
    const rows = await ask(first, PAGE_ROWS)
    return rows.some(([at]) => at === row) ? rows : [...rows, ...(await ask(row, FEW_ROWS))]
  }

  private change(next: Partial<RowsState>): void {
    const { version } = this.state
    this.state = { ...this.state, ...next, count: this.store.count, version: version + 1 }
    this.listeners.forEach((listener) => listener())
  }
}
