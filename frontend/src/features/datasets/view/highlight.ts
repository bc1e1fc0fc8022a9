/** Where a search finds itself in a text, and the part of a long text that is worth showing. Pure. */

export interface Piece {
  text: string
  hit: boolean
}

/** As the server folds: the case does not matter, and `ß` is `ss`. `at[i]` is where `i` comes from. */
function folded(text: string): { text: string; at: number[] } {
  let out = ''
  const at: number[] = []
  let position = 0
  for (const character of text) {
    const same = character.toUpperCase().toLowerCase()
    for (let i = 0; i < same.length; i += 1) at.push(position)
    out += same
    position += character.length
  }
  at.push(position)
  return { text: out, at }
}

/** The text in pieces, what matches `query` apart. */
export function highlighted(text: string, query: string): Piece[] {
  const needle = folded(query).text
  if (!needle) return text ? [{ text, hit: false }] : []
  const { text: hay, at } = folded(text)
  const pieces: Piece[] = []
  let from = 0
  for (let found = hay.indexOf(needle); found >= 0; found = hay.indexOf(needle, found + needle.length)) {
    const [start = 0, end = 0] = [at[found], at[found + needle.length]]
    if (start > from) pieces.push({ text: text.slice(from, start), hit: false })
    if (end > start) pieces.push({ text: text.slice(start, end), hit: true })
    from = Math.max(from, end)
  }
  if (from < text.length) pieces.push({ text: text.slice(from), hit: false })
  return pieces
}

/** Never in the middle of a surrogate pair, which alone is no character. */
const whole = (text: string, at: number) =>
  /[\uDC00-\uDFFF]/.test(text.charAt(at)) && /[\uD800-\uDBFF]/.test(text.charAt(at - 1)) ? at - 1 : at

/**
 * At most about `limit` characters: the beginning, or what stands around the first hit when that
 * is further on. `before` and `after` say whether something is left out there.
 */
export function excerptOf(text: string, query: string, limit: number) {
  if (text.length <= limit) return { text, before: false, after: false }
  const needle = query && folded(query).text
  const found = needle ? folded(text) : null
  const hit = found ? (found.at[found.text.indexOf(needle)] ?? 0) : 0
  const start = hit + query.length > limit * 0.75 ? whole(text, Math.max(0, hit - Math.floor(limit / 4))) : 0
  const end = whole(text, Math.min(text.length, start + limit))
  return { text: text.slice(start, end), before: start > 0, after: end < text.length }
}
