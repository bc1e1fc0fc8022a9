import { beforeEach, describe, expect, it, vi } from 'vitest'
import { RowScroller } from './row-scroller'
import { MAX_SCROLL_PX, ROW_PX } from './scroll-scale'

const VIEW = 600

/** A box that scrolls as a browser does, rows `rowPx` high in it, and what React would do between. */
function stage(count: number, { wrap = false, rowPx = ROW_PX } = {}) {
  const scroller = new RowScroller()
  const spacer = { style: { height: '0' } }
  const layer = { style: { transform: '' } }
  let top = 0
  const box = {
    clientHeight: VIEW,
    get scrollTop() {
      return Math.max(0, Math.min(top, parseFloat(spacer.style.height) - VIEW))
    },
    set scrollTop(y: number) {
      top = y
    },
    scrollBy: () => undefined,
  }
  let drawn = { first: 0, last: 0 }
  scroller.subscribe(render)
  function render() {
    const { first, last } = scroller.getSnapshot()
    drawn = { first, last }
    scroller.rendered(drawn)
  }
  const height = (n: number) => n * (wrap ? rowPx : ROW_PX)
  scroller.attach({ box, spacer, layer, height: () => height(drawn.last - drawn.first), offset: height } as never)
  scroller.setRows(count, wrap)
  const layerY = () => parseFloat(layer.style.transform.replace(/[^\d.-]/g, ''))
  return {
    scroller,
    box,
    full: () => parseFloat(spacer.style.height),
    drawn: () => drawn,
    /** Row and pixels at the top of the view, as one would see it. */
    seen: () => drawn.first + (box.scrollTop - layerY()) / (wrap ? rowPx : ROW_PX),
    covered: () => layerY() <= box.scrollTop && layerY() + height(drawn.last - drawn.first) >= box.scrollTop + VIEW,
    scrollTo(y: number) {
      box.scrollTop = y
      scroller.onScroll()
    },
  }
}

beforeEach(() => void vi.useFakeTimers())

describe('a million lines', () => {
  it('keep few rows in the page wherever one is', () => {
    const page = stage(1_000_000)
    for (const part of [0.1, 0.9, 0.5, 1, 0]) {
      page.scrollTo(part * (MAX_SCROLL_PX - VIEW))
      expect(page.drawn().last - page.drawn().first).toBeLessThan(130)
      expect(page.covered()).toBe(true)
    }
  })

  it('move by pixels under the wheel, though the scroll bar is too short for them', () => {
    const page = stage(1_000_000)
    page.scroller.goTo(500_000, 'start')
    for (let n = 1; n <= 50; n++) page.scrollTo(page.box.scrollTop + 100)
    expect(page.seen()).toBeCloseTo(500_000 + 5000 / ROW_PX, 1)
    vi.runAllTimers()
    expect(page.seen()).toBeCloseTo(500_000 + 5000 / ROW_PX, 1)
    expect(page.covered()).toBe(true)
  })

  it('reach both ends by the wheel', () => {
    const page = stage(1_000_000)
    page.scroller.goTo(300, 'start')
    for (let n = 0; n < 200; n++) page.scrollTo(page.box.scrollTop - 100)
    expect(page.seen()).toBe(0)
    expect(page.box.scrollTop).toBe(0)
    page.scroller.goTo(999_700, 'start')
    for (let n = 0; n < 200; n++) page.scrollTo(page.box.scrollTop + 100)
    expect(page.seen()).toBeCloseTo(1_000_000 - VIEW / ROW_PX, 3)
  })

  it('show the line that is jumped to in the middle', () => {
    const page = stage(1_000_000)
    page.scroller.goTo(777_777)
    expect(page.seen()).toBeCloseTo(777_777 - VIEW / 2 / ROW_PX + 1, 1)
    expect(page.box.scrollTop / page.full()).toBeCloseTo(0.7778, 2)
  })
})

describe('following', () => {
  it('keeps the last row at the bottom as rows come', () => {
    const page = stage(1000)
    page.scroller.follow(true)
    page.scroller.setRows(1500, false)
    expect(page.seen()).toBe(1500 - VIEW / ROW_PX)
    expect(page.drawn().last).toBe(1500)
  })

  it('lets go at any way upwards and counts from there', () => {
    const page = stage(1000)
    page.scroller.follow(true)
    page.scrollTo(page.box.scrollTop - 2)
    expect(page.scroller.getSnapshot()).toMatchObject({ following: false, leftAt: 1000 })
    const before = page.seen()
    page.scroller.setRows(1300, false)
    expect(page.seen()).toBe(before)
  })

  it('takes hold again at the bottom', () => {
    const page = stage(1000)
    page.scroller.goTo(900, 'start')
    page.scrollTo(page.box.scrollTop + 10_000)
    expect(page.scroller.getSnapshot().following).toBe(true)
  })

  it('does not take its own scrolling for the reader’s', () => {
    const page = stage(1000)
    page.scroller.follow(true)
    page.scroller.onScroll()
    page.scroller.setRows(800, false)
    page.scroller.onScroll()
    expect(page.scroller.getSnapshot().following).toBe(true)
  })
})

describe('wrapped lines', () => {
  it('stay where they are when rows above them are added', () => {
    const page = stage(10_000, { wrap: true, rowPx: 53 })
    page.scroller.goTo(5000, 'start')
    for (let n = 1; n <= 40; n++) page.scrollTo(page.box.scrollTop - 100)
    expect(page.seen()).toBeCloseTo(5000 - 4000 / 53, 1)
    expect(page.covered()).toBe(true)
  })

  it('reach both ends', () => {
    const page = stage(3000, { wrap: true, rowPx: 47 })
    page.scroller.goTo(100, 'start')
    for (let n = 0; n < 100; n++) page.scrollTo(page.box.scrollTop - 100)
    expect(page.seen()).toBe(0)
    page.scroller.goTo(2900, 'start')
    for (let n = 0; n < 100; n++) page.scrollTo(page.box.scrollTop + 100)
    expect(page.seen()).toBeCloseTo(3000 - VIEW / 47, 3)
  })
})

it('shows a log that is shorter than its box from the top', () => {
  const page = stage(3)
  page.scroller.follow(true)
  expect(page.seen()).toBe(0)
  expect(page.drawn()).toEqual({ first: 0, last: 3 })
  page.scroller.setRows(0, false)
  expect(page.drawn()).toEqual({ first: 0, last: 0 })
})
