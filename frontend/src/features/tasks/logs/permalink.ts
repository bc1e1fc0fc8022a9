/** `#L123` and `#L123-L140`: which lines a link points at. */

export interface LineRange {
  first: number
  last: number
}

const FORM = /^#L(\d{1,12})(?:-L?(\d{1,12}))?$/

/** The lines of a fragment; null when it is another one. Ends may come in either order. */
export function rangeOf(hash: string): LineRange | null {
  const found = FORM.exec(hash)
  if (!found) return null
  const one = Number(found[1])
  const other = Number(found[2] ?? found[1])
  return one > 0 && other > 0 ? { first: Math.min(one, other), last: Math.max(one, other) } : null
}

export function hashOf({ first, last }: LineRange): string {
  return first === last ? `#L${first}` : `#L${first}-L${last}`
}

/** What a click on a number marks: the line, or with shift all from the one that was marked. */
export function marked(number: number, before: LineRange | null, extend: boolean): LineRange {
  if (!extend || !before) return { first: number, last: number }
  // The end that is farther away stays where it is.
  const stays = number > before.first ? before.first : before.last
  return { first: Math.min(stays, number), last: Math.max(stays, number) }
}

export const contains = (range: LineRange | null, number: number) =>
  range !== null && number >= range.first && number <= range.last
