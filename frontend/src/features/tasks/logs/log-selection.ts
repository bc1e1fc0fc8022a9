/**
 * Which characters of which rows are selected. Rows leave the page while the selection goes on, and
 * the browser forgets where it began: so it is remembered here.
 */
import type { LogLine } from './log-api'

export interface TextPlace {
  row: number
  /** In characters of the line. */
  offset: number
}

export interface TextRange {
  from: TextPlace
  to: TextPlace
}

/** The place of a boundary of the browser's selection; null when it is in no row. */
export function placeOf(node: Node | null, offset: number): TextPlace | null {
  const element = node instanceof Element ? node : node?.parentElement
  const row = element?.closest<HTMLElement>('[data-row]')
  const text = row?.querySelector('.log-text')
  if (!node || !row || !text) return null
  const number = Number(row.dataset.row)
  if (!text.contains(node)) {
    const after = text.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING
    return { row: number, offset: after ? Infinity : 0 }
  }
  const before = document.createRange()
  before.selectNodeContents(text)
  before.setEnd(node, offset)
  return { row: number, offset: before.toString().length }
}

/** In reading order. */
export function ordered(anchor: TextPlace, focus: TextPlace): TextRange {
  const forward = anchor.row < focus.row || (anchor.row === focus.row && anchor.offset <= focus.offset)
  return forward ? { from: anchor, to: focus } : { from: focus, to: anchor }
}

/** The text of the lines of a range, the first of which is that of row `from.row`. */
export function textOf(lines: readonly (LogLine | undefined)[], { from, to }: TextRange): string {
  return lines
    .map((line, n) => {
      const text = line?.text ?? ''
      const end = from.row + n === to.row ? to.offset : text.length
      const start = n === 0 ? from.offset : 0
      // A long line that was split is one line again.
      const last = from.row + n === to.row
      return text.slice(start, end) + (last || line?.continued ? '' : '\n')
    })
    .join('')
}
