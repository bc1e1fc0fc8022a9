/** The window of log lines that the viewer holds: bounded, in order, each line once. */
import type { Schemas } from '@/api/client'

export type LogLine = Schemas['LogLine']
export type Level = LogLine['level']

/** More than this are dropped at the far end; scrolling there loads them again. */
export const MAX_LINES = 20_000

export interface LogWindow {
  lines: LogLine[]
  /** Lines exist before the first one held. */
  more: boolean
}

export const emptyWindow: LogWindow = { lines: [], more: false }

/** Lines that came after: those that are held already are left out. */
export function append({ lines, more }: LogWindow, newer: readonly LogLine[]): LogWindow {
  const last = lines.at(-1)
  const fresh = last ? newer.filter((line) => isAfter(line, last)) : newer
  if (fresh.length === 0) return { lines, more }
  const all = [...lines, ...fresh]
  return all.length > MAX_LINES ? { lines: all.slice(-MAX_LINES), more: true } : { lines: all, more }
}

/** Lines that stand before. */
export function prepend(window: LogWindow, older: readonly LogLine[], more: boolean): LogWindow {
  const first = window.lines[0]
  const fresh = first ? older.filter((line) => isAfter(first, line)) : older
  return { lines: [...fresh, ...window.lines].slice(0, MAX_LINES), more }
}

/** Whether `a` stands after `b`; ids are `ATTEMPT-OFFSET`. */
export function isAfter(a: LogLine, b: LogLine): boolean {
  const [attemptA, offsetA] = position(a.id)
  const [attemptB, offsetB] = position(b.id)
  return attemptA === attemptB ? offsetA > offsetB : attemptA > attemptB
}

function position(id: string): [number, number] {
  const [attempt, offset] = id.split('-').map(Number)
  return [attempt ?? 0, offset ?? 0]
}

export interface LogFilter {
  q: string
  levels: readonly Level[]
}

/** The server's filter, for lines that arrive live. */
export function matches(line: LogLine, { q, levels }: LogFilter): boolean {
  if (levels.length > 0 && !levels.includes(line.level)) return false
  return !q || line.text.toLowerCase().includes(q.toLowerCase())
}

/** `text` cut at the matches of `q`: every second piece is a match. */
export function splitAtMatches(text: string, q: string): string[] {
  if (!q) return [text]
  const pieces: string[] = []
  const where = text.toLowerCase()
  const what = q.toLowerCase()
  // Lower-casing may change the length of some letters; then matches can not be placed.
  if (where.length !== text.length) return [text]
  let from = 0
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, from)) {
    pieces.push(text.slice(from, at), text.slice(at, at + what.length))
    from = at + what.length
  }
  return [...pieces, text.slice(from)]
}

// Terminal sequences (CSI, OSC and single escapes) and other control characters say nothing here.
// eslint-disable-next-line no-control-regex
const CONTROL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-_])|[\u0000-\u0008\u000b-\u001f\u007f]/g

/** The line without terminal sequences. */
export const plainText = (text: string) => text.replace(CONTROL, '')
