/**
 * Scrolling over any number of rows of which only some are in the page. The browser scrolls by itself;
 * here it is decided which rows are in the page and where they lie. Rows keep their place on the
 * screen whatever happens around them, and following keeps the last row at the bottom.
 */
import { RowLayer, type Anchor, type Parts } from './row-layer'
import { ROW_PX, rowAt, rowsAround, spacerPx, yOf, type Align, type Rows, type Scale, type Shown } from './scroll-scale'

const MORE_ROWS = 40
const MORE_IN_JUMPS = 8
const FEW_PX = (MORE_ROWS / 3) * ROW_PX
const IDLE_MS = 160

export class RowScroller {
  private shown: Shown = { first: 0, last: 0, following: false, leftAt: 0 }
  private readonly layer = new RowLayer()
  private count = 0
  private anchor: Anchor = { row: 0, hidden: 0 }
  private lastY = 0
  private idle: ReturnType<typeof setTimeout> | undefined
  private readonly listeners = new Set<() => void>()

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  getSnapshot = () => this.shown

  /** The row at the top of the view. */
  get top(): number {
    return this.anchor.row
  }

  attach(parts: Parts): () => void {
    this.layer.parts = parts
    this.refresh()
    return () => {
      clearTimeout(this.idle)
      this.layer.parts = null
    }
  }

  /** Other rows, or another way to lay them out; the row at the top stays there. */
  setRows(count: number, wrap: boolean): void {
    if (count === this.count && wrap === this.layer.wrap) return
    if (wrap !== this.layer.wrap) this.layer.setWrap(wrap)
    this.count = count
    if (this.anchor.row >= count) this.anchor = { row: Math.max(0, count - 1), hidden: 0 }
    this.refresh()
  }

  /** Decides anew what is in the page: after a change of size, too. */
  refresh(): void {
    const { view, rowPx } = this.layer
    const top = this.shown.following ? this.count - view / rowPx : this.anchor.row
    this.show(Math.max(0, top), MORE_ROWS, true)
  }

  follow(on: boolean): void {
    if (on === this.shown.following) return
    this.setShown({ following: on })
    this.refresh()
  }

  goTo(row: number, align: Align = 'center'): void {
    const { view, wrap, rowPx } = this.layer
    const above = { start: 0, center: Math.max(0, view / 2 - ROW_PX), end: view - ROW_PX }[align]
    const top = Math.min(Math.max(0, wrap ? row : row - above / ROW_PX), this.count)
    this.anchor = { row: Math.floor(top), hidden: wrap ? -above : (top % 1) * ROW_PX }
    this.lastY = Math.round(yOf(this.scale(), top))
    // Where all rows are seen at once there is nowhere to go, and no reason to let go.
    if (this.shown.following && this.count * rowPx > view) this.setShown({ following: false })
    this.show(top, MORE_ROWS, true)
  }

  /** Moves by pixels, as the arrow keys do. */
  scrollBy(pixels: number): void {
    this.layer.parts?.box.scrollBy(0, pixels)
  }

  onScroll = (): void => {
    const { layer } = this
    if (!layer.parts) return
    const y = layer.parts.box.scrollTop
    const moved = y - this.lastY
    if (Math.abs(moved) < 1) return // our own doing
    this.lastY = y
    if (Math.abs(moved) > layer.view * 3 && !layer.covers(y)) {
      const row = rowAt(this.scale(), y)
      this.anchor = { row: Math.floor(row), hidden: (row % 1) * layer.rowPx }
      this.show(row, MORE_IN_JUMPS, true)
    } else {
      this.anchor = layer.anchorAt(y, this.count)
      this.extend(y)
      this.keepWay(y)
    }
    this.updateFollowing(y, moved)
    clearTimeout(this.idle)
    this.idle = setTimeout(this.settle, IDLE_MS)
  }

  /** Call it after every rendering, with the rows that are in the page now. */
  rendered(rows: Rows): void {
    this.layer.rows = rows
    this.place()
  }

  /** Puts the rows where they belong. */
  private place(): void {
    const { layer, count } = this
    if (!layer.parts) return
    const { first, last } = layer.rows
    const { following } = this.shown
    layer.measure()
    const height = layer.height
    const all = first === 0 && last === count
    const full = all ? Math.max(height, layer.view) : Math.max(spacerPx(this.scale()), height)
    const way = full - layer.view
    layer.parts.spacer.style.height = `${full}px`
    const kept = this.lastY - this.anchor.hidden - layer.offsetOf(this.anchor.row)
    const shift = this.shift(kept, height, full)
    const y = Math.min(Math.max(0, following && last === count ? way : this.lastY + shift), way)
    // The ends of the rows and of the scroll bar are the same.
    layer.y = first === 0 ? 0 : last === count ? full - height : kept + shift
    layer.parts.layer.style.transform = `translateY(${layer.y}px)`
    if (Math.abs(layer.parts.box.scrollTop - y) >= 1) layer.parts.box.scrollTop = y
    this.lastY = layer.parts.box.scrollTop
    if (following || shift !== 0) this.anchor = layer.anchorAt(this.lastY, count)
  }

  /** How far everything must move so that no row lies where the scroll bar does not reach. */
  private shift(layerY: number, height: number, full: number): number {
    const { first, last } = this.layer.rows
    if (first === 0) return -layerY
    if (last === this.count) return full - height - layerY
    if (layerY >= 0 && layerY + height <= full) return 0
    return yOf(this.scale(), this.topRow()) - this.lastY
  }

  private topRow(): number {
    return this.anchor.row + this.anchor.hidden / this.layer.rowPx
  }

  private scale(): Scale {
    return { count: this.count, rowPx: this.layer.rowPx, view: this.layer.view }
  }

  /** New rows before the reader reaches the end of those in the page. */
  private extend(y: number): void {
    if (this.layer.runsShort(y, FEW_PX, this.shown, this.count)) this.show(this.anchor.row, MORE_ROWS)
  }

  /** Any way upwards lets go; the end takes hold again. */
  private updateFollowing(y: number, moved: number): void {
    const { following } = this.shown
    const next = moved > 0 && (following || this.layer.showsEnd(y, this.count))
    if (next !== following) this.setShown({ following: next })
  }

  /** At rest: the scroll bar tells the true place, and all rows around are there. */
  private settle = (): void => {
    if (!this.layer.parts || this.shown.following) return
    this.show(this.anchor.row, MORE_ROWS)
    this.layer.measure(true)
    this.tellPlace()
  }

  /** An end of the scroll bar is reached before the rows end: back to where these rows belong. */
  private keepWay(y: number): void {
    const { view } = this.layer
    const end = spacerPx(this.scale()) - view
    if (y < view || y > end - view) this.tellPlace()
  }

  private tellPlace(): void {
    const { rows } = this.layer
    if (rows.first === 0 || rows.last === this.count) return
    const y = Math.round(yOf(this.scale(), this.topRow()))
    if (Math.abs(y - this.lastY) < 2) return
    this.lastY = y
    this.place()
  }

  /** `always`: lay them out even when the same rows stay in the page. */
  private show(top: number, more: number, always = false): void {
    const { first, last } = rowsAround(this.scale(), top, more)
    if (first !== this.shown.first || last !== this.shown.last) this.setShown({ first, last })
    else if (always && first === this.layer.rows.first && last === this.layer.rows.last) this.place()
  }

  private setShown(next: Partial<Shown>): void {
    const leaves = next.following === false && this.shown.following
    this.shown = { ...this.shown, ...next, ...(leaves && { leftAt: this.count }) }
    this.listeners.forEach((listener) => listener())
  }
}
