/** The rows that are in the page: where they lie in the box that scrolls, and which is where. */
import { ROW_PX, type Rows } from './scroll-scale'

const NEAR_BOTTOM_PX = 4

/** What the page consists of: a box that scrolls, a spacer of the full height, the rows in it. */
export interface Parts {
  box: Pick<HTMLElement, 'scrollTop' | 'clientHeight' | 'scrollBy'>
  spacer: { style: { height: string } }
  layer: { style: { transform: string } }
  /** Height of the rows that are in the page. */
  height: () => number
  /** Where the `n`th row in the page begins, counted from the first. */
  offset: (n: number) => number
}

/** A row at the top of the view, and how much of it is above. */
export interface Anchor {
  row: number
  hidden: number
}

export class RowLayer {
  /** Where the first row begins. */
  y = 0
  rows: Rows = { first: 0, last: 0 }
  parts: Parts | null = null
  wrap = false
  /** Height of a row; of wrapped ones the average. */
  rowPx = ROW_PX
  private measured = false

  setWrap(wrap: boolean): void {
    this.wrap = wrap
    this.rowPx = ROW_PX
    this.measured = false
  }

  get height(): number {
    const { first, last } = this.rows
    return this.wrap ? (this.parts?.height() ?? 0) : (last - first) * ROW_PX
  }

  get view(): number {
    return this.parts?.box.clientHeight ?? 0
  }

  get bottom(): number {
    return this.y + this.height
  }

  /** Looks at the rows in the page for the average, once or `again`. */
  measure(again = false): void {
    const rows = this.rows.last - this.rows.first
    if (!this.wrap || rows === 0 || (this.measured && !again)) return
    this.rowPx = Math.max(ROW_PX, this.height / rows)
    this.measured = true
  }

  offsetOf(row: number): number {
    const { first, last } = this.rows
    if (!this.wrap) return (row - first) * ROW_PX
    return this.parts?.offset(Math.min(Math.max(0, row - first), last - first)) ?? 0
  }

  /** The row at `y`: looked up among those in the page, else reckoned from them. */
  anchorAt(y: number, count: number): Anchor {
    const { first, last } = this.rows
    const within = y - this.y
    const reckoned = (px: number, from: number) => {
      const row = Math.min(Math.max(0, from + Math.floor(px / this.rowPx)), Math.max(0, count - 1))
      return { row, hidden: px - (row - from) * this.rowPx }
    }
    if (!this.wrap || within < 0) return reckoned(within, first)
    const height = this.height
    if (within >= height) return reckoned(within - height, last)
    let [low, high] = [first, Math.max(first, last - 1)]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.offsetOf(middle) <= within) low = middle
      else high = middle - 1
    }
    return { row: low, hidden: within - this.offsetOf(low) }
  }

  covers(y: number): boolean {
    return y >= this.y && y + this.view <= this.bottom
  }

  /** Whether less than `px` of rows are left above or below what is seen, and there are more: `asked`
   * are those that are in the page or about to be. */
  runsShort(y: number, px: number, asked: Rows, count: number): boolean {
    const above = asked.first > 0 && y - this.y < px
    return above || (asked.last < count && this.bottom - y - this.view < px)
  }

  /** Whether the end of the last row of all is seen. */
  showsEnd(y: number, count: number): boolean {
    return this.rows.last === count && y + this.view >= this.bottom - NEAR_BOTTOM_PX
  }
}
