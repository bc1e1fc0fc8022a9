/** Where two answers differ, word by word (Chinese character by character): longest common subsequence. */

export interface Piece {
  text: string
  /** Only in this answer. */
  own: boolean
}

/** The table of the comparison grows with the product of both lengths: beyond this none is made. */
const MAX_CELLS = 4_000_000

const TOKEN = /\p{Script=Han}|[\p{L}\p{N}]+|\s+|[^\p{L}\p{N}\s]/gu

const tokens = (text: string): string[] => text.match(TOKEN) ?? []

/** `lengths[i][j]`: common tokens of `a` from i on and `b` from j on. */
function commonLengths(a: string[], b: string[]): Uint32Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const [row, below] = [lengths[i], lengths[i + 1]]
    if (!row || !below) continue
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] =
        a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return lengths
}

function push(pieces: Piece[], text: string, own: boolean): void {
  const last = pieces.at(-1)
  if (last && last.own === own) last.text += text
  else pieces.push({ text, own })
}

/** Both texts in pieces; null when they are too long to compare. */
export function differences(left: string, right: string): [Piece[], Piece[]] | null {
  const [a, b] = [tokens(left), tokens(right)]
  if (a.length * b.length > MAX_CELLS) return null
  const lengths = commonLengths(a, b)
  const found: [Piece[], Piece[]] = [[], []]
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]]
    if (x !== undefined && x === y) {
      push(found[0], x, false)
      push(found[1], x, false)
      i += 1
      j += 1
    } else if (y === undefined || (x !== undefined && (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0))) {
      push(found[0], x ?? '', true)
      i += 1
    } else {
      push(found[1], y, true)
      j += 1
    }
  }
  return found
}
