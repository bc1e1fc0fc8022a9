/** A line's text cut into pieces that each look one way: terminal colours below, matches above. */
import type { ColourSpan } from './log-api'
import type { Span } from './matcher'

/** More of a line is shown on request: megabytes of text in one row stop every browser. */
export const CLIP_CHARS = 2000

export interface Piece {
  text: string
  /** Terminal code; empty: none. */
  code: string
  match: boolean
}

/** `text` in pieces; spans beyond its end are cut, spans out of order are left out. */
export function piecesOf(text: string, colours: readonly ColourSpan[], matches: readonly Span[]): Piece[] {
  if (colours.length === 0 && matches.length === 0) return [{ text, code: '', match: false }]
  const cuts = new Set([0, text.length])
  for (const [start, end] of [...colours, ...matches]) {
    if (start >= 0 && start < text.length) cuts.add(start)
    if (end > 0 && end < text.length) cuts.add(end)
  }
  const places = [...cuts].sort((a, b) => a - b)
  const pieces: Piece[] = []
  let [colour, match] = [0, 0]
  for (let n = 0; n + 1 < places.length; n++) {
    const [from, to] = [places[n] as number, places[n + 1] as number]
    while (colour < colours.length && (colours[colour]?.[1] ?? 0) <= from) colour += 1
    while (match < matches.length && (matches[match]?.[1] ?? 0) <= from) match += 1
    const over = colours[colour]
    const found = matches[match]
    pieces.push({
      text: text.slice(from, to),
      code: over && over[0] <= from ? over[2] : '',
      match: found !== undefined && found[0] <= from,
    })
  }
  return pieces
}
