/**
 * Places of a search within a line, to mark them. The server decides which lines match; here a
 * pattern of its language is tried as one of the browser's, and never for long.
 */
import type { LogSearch } from './log-state'

export type Span = [start: number, end: number]
export type Matcher = (text: string) => Span[]

/** Milliseconds for one line; what takes longer keeps its rest unmarked. */
const BUDGET_MS = 6
const FIRST_CHARS = 24
const GROWTH = 1.5
const MAX_SPANS = 200

const none: Matcher = () => []

/** Groups that repeat something repeated may take for ever: `(a+)+`, `(a|a)*`. */
const mayExplode = (pattern: string) => /\)(?:[*+]|\{\d+,)/.test(pattern.replace(/\\./g, ''))

function regexOf({ q, regex, matchCase }: LogSearch): RegExp | null {
  const flags = matchCase ? 'gu' : 'giu'
  if (!regex) return new RegExp(q.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), flags)
  if (mayExplode(q)) return null
  try {
    // RE2 writes named groups and flags in Python's way.
    const inline = /^\(\?([ims]+)\)/.exec(q)
    const pattern = q.slice(inline?.[0].length ?? 0).replaceAll('(?P<', '(?<')
    return new RegExp(pattern, [...new Set(flags + (inline?.[1] ?? ''))].join(''))
  } catch {
    return null
  }
}

function spansIn(regex: RegExp, text: string): Span[] {
  const spans: Span[] = []
  for (const found of text.matchAll(regex)) {
    if (found[0]) spans.push([found.index, found.index + found[0].length])
    if (spans.length >= MAX_SPANS) break
  }
  return spans
}

/** Finds the places of `search` in a text, in order and without overlap. */
export function matcherOf(search: LogSearch): Matcher {
  const regex = search.q ? regexOf(search) : null
  if (!regex) return none
  if (!search.regex) return (text) => spansIn(regex, text)
  let limit = Infinity
  return (text) => {
    // A little more each time: what takes long is noticed while it is still short.
    for (let chars = FIRST_CHARS; ; chars = Math.ceil(chars * GROWTH)) {
      const part = text.slice(0, Math.min(chars, limit))
      const [spans, ms] = timed(regex, part)
      if (chars >= text.length || chars >= limit) return spans
      // Measured again before it counts: anything may hold up a machine once.
      if (ms > BUDGET_MS && timed(regex, part)[1] > BUDGET_MS) limit = Math.floor(chars / GROWTH)
    }
  }
}

function timed(regex: RegExp, text: string): [Span[], number] {
  const started = performance.now()
  return [spansIn(regex, text), performance.now() - started]
}
