import { describe, expect, it } from 'vitest'
import { MAX_SCROLL_PX, ROW_PX, rowAt, rowsAround, spacerPx, yOf } from './scroll-scale'

const few = { count: 1000, rowPx: ROW_PX, view: 600 }
const many = { count: 1_000_000, rowPx: ROW_PX, view: 600 }

it('is exact as long as browsers can be', () => {
  expect(spacerPx(few)).toBe(20_000)
  for (const y of [0, 20, 137, 19_400]) expect(rowAt(few, y)).toBeCloseTo(y / ROW_PX, 6)
})

describe('a million lines', () => {
  it('fit', () => expect(spacerPx(many)).toBe(MAX_SCROLL_PX))

  it('begin and end at the ends of the scroll bar', () => {
    expect(rowAt(many, 0)).toBe(0)
    expect(rowAt(many, MAX_SCROLL_PX - many.view)).toBeCloseTo(1_000_000 - 30, 6)
  })

  it('are each found again where they were put', () => {
    for (const row of [0, 1, 999, 500_000, 999_969]) expect(rowAt(many, yOf(many, row))).toBeCloseTo(row, 3)
  })

  it('stay in bounds whatever is asked', () => {
    expect(yOf(many, -5)).toBe(0)
    expect(yOf(many, 2_000_000)).toBe(MAX_SCROLL_PX - many.view)
    expect(rowAt(many, 1e12)).toBeCloseTo(999_970, 6)
  })
})

describe('rows in the page', () => {
  it('are those seen and some around', () => {
    expect(rowsAround(many, 500, 40)).toEqual({ first: 460, last: 571 })
  })

  it('end where the log does', () => {
    expect(rowsAround(few, 0, 40).first).toBe(0)
    expect(rowsAround(few, 990, 40)).toEqual({ first: 950, last: 1000 })
    expect(rowsAround({ ...few, count: 0 }, 0, 40)).toEqual({ first: 0, last: 0 })
    expect(rowsAround({ ...few, count: 3 }, 0, 40)).toEqual({ first: 0, last: 3 })
  })
})
