import { expect, it } from 'vitest'
import { smooth } from './smooth'

it('gives the values back when nothing is to be smoothed', () => {
  expect(smooth([3, null, 1], 0)).toEqual([3, null, 1])
})

it('keeps a constant constant from the first value on', () => {
  for (const value of smooth([2, 2, 2, 2], 0.9)) expect(value).toBeCloseTo(2)
})

it('leaves gaps as gaps and goes on after them', () => {
  const [first, gap, last] = smooth([4, null, 2], 0.5)
  expect(first).toBeCloseTo(4)
  expect(gap).toBeNull()
  expect(last).toBeCloseTo((4 * 0.25 + 2 * 0.5) / 0.75)
})
