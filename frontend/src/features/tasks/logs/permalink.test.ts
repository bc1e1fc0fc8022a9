import { describe, expect, it } from 'vitest'
import { contains, hashOf, marked, rangeOf } from './permalink'

describe('a fragment', () => {
  it.each([
    ['#L123', { first: 123, last: 123 }],
    ['#L123-L140', { first: 123, last: 140 }],
    ['#L140-L123', { first: 123, last: 140 }],
    ['#L5-9', { first: 5, last: 9 }],
  ])('%s names lines', (hash, range) => expect(rangeOf(hash)).toEqual(range))

  it.each(['', '#', '#L', '#L0', '#L0-L3', '#L-1', '#section', '#L1-L2-L3', '#L9999999999999', '#l5', '#L1e3'])(
    '%s names none',
    (hash) => expect(rangeOf(hash)).toBeNull(),
  )

  it('is written as it is read', () => {
    for (const range of [{ first: 1, last: 1 }, { first: 7, last: 1_000_000 }]) {
      expect(rangeOf(hashOf(range))).toEqual(range)
    }
  })
})

describe('a click on a number', () => {
  it('marks the line', () => expect(marked(5, { first: 1, last: 3 }, false)).toEqual({ first: 5, last: 5 }))
  it('with shift extends downwards', () => expect(marked(9, { first: 5, last: 5 }, true)).toEqual({ first: 5, last: 9 }))
  it('with shift extends upwards', () => expect(marked(2, { first: 5, last: 9 }, true)).toEqual({ first: 2, last: 9 }))
  it('with shift and nothing marked marks one', () => expect(marked(4, null, true)).toEqual({ first: 4, last: 4 }))
})

it('knows which lines it holds', () => {
  const range = { first: 3, last: 5 }
  expect([2, 3, 5, 6].map((number) => contains(range, number))).toEqual([false, true, true, false])
  expect(contains(null, 1)).toBe(false)
})
