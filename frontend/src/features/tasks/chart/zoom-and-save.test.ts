/** Zooming keeps to the middle, and within the curve. */
import { expect, it } from 'vitest'
import { widened } from './zoom-and-save'

it('halves and doubles about the middle', () => {
  expect(widened({ start: 0, end: 100 }, 0.5)).toEqual({ start: 25, end: 75 })
  expect(widened({ start: 25, end: 75 }, 2)).toEqual({ start: 0, end: 100 })
})

it('stays within the curve', () => {
  expect(widened({ start: 80, end: 100 }, 2)).toEqual({ start: 60, end: 100 })
  expect(widened({ start: 0, end: 100 }, 4)).toEqual({ start: 0, end: 100 })
  expect(widened({ start: 50, end: 50.5 }, 0.1)).toEqual({ start: 49.75, end: 50.75 })
})
