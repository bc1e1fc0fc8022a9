/**
 * Where rows lie on the scroll bar. Browsers end at 18 million pixels or so, and wrapped rows have
 * heights nobody knows: then positions are proportions, and small movements count in pixels.
 */

export const ROW_PX = 20
/** Firefox draws nothing beyond about 17.8 million pixels. */
export const MAX_SCROLL_PX = 8_000_000

export interface Scale {
  count: number
  /** Height of a row, on average. */
  rowPx: number
  /** Height of what is seen at once. */
  view: number
}

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)

/** Height of all rows as the scroll bar has it. */
export const spacerPx = ({ count, rowPx, view }: Scale) =>
  Math.max(view, Math.min(count * rowPx, MAX_SCROLL_PX))

/** The row at the top of the view (with a fraction) when scrolled to `y`. */
export function rowAt(scale: Scale, y: number): number {
  const way = spacerPx(scale) - scale.view
  const rows = Math.max(0, scale.count - scale.view / scale.rowPx)
  return way > 0 ? clamp(y / way, 0, 1) * rows : 0
}

/** Where to scroll so that `row` is at the top of the view. */
export function yOf(scale: Scale, row: number): number {
  const way = spacerPx(scale) - scale.view
  const rows = scale.count - scale.view / scale.rowPx
  return rows > 0 ? clamp(row / rows, 0, 1) * way : 0
}

export interface Rows {
  /** Of the rows that are in the page; `last` is the first that is not. */
  first: number
  last: number
}

/** What a scroller shows. */
export interface Shown extends Rows {
  following: boolean
  /** How many rows there were when following ended. */
  leftAt: number
}

export type Align = 'start' | 'center' | 'end'

/** The rows to put into the page around those that are seen. */
export function rowsAround({ count, rowPx, view }: Scale, top: number, more: number): Rows {
  const seen = Math.ceil(view / rowPx) + 1
  const last = clamp(Math.floor(top) + seen + more, 0, count)
  return { first: clamp(Math.floor(top) - more, 0, last), last }
}
