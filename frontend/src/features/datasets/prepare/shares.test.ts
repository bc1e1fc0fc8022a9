import { describe, expect, it } from 'vitest'
import { divided, mixRows, sharesOf, splitShares } from './shares'

describe('sharesOf', () => {
  it('gives each weight its part, and rubbish none', () => {
    expect(sharesOf([1, 3])).toEqual([0.25, 0.75])
    expect(sharesOf([1, Number.NaN, -2, Infinity])).toEqual([1, 0, 0, 0])
    expect(sharesOf([0, 0])).toEqual([0, 0])
  })
})

describe('mixRows', () => {
  it('ends when the first data set is used up', () => {
    expect(mixRows([51, 1362], [1, 2], null, false)).toEqual({ total: 153, rows: [51, 102] })
  })

  it('with repeat goes on until each row is in it', () => {
    expect(mixRows([10, 100], [1, 1], null, true)).toEqual({ total: 200, rows: [100, 100] })
  })

  it('makes no more rows than there can be, but with repeat as many as are wanted', () => {
    expect(mixRows([10, 100], [1, 1], 50, false)?.total).toBe(20)
    expect(mixRows([10, 100], [1, 1], 50, true)?.total).toBe(50)
  })

  it('says nothing while a size is unknown or a weight is missing', () => {
    expect(mixRows([10, null], [1, 1], null, false)).toBeNull()
    expect(mixRows([10, 10], [1, 0], null, false)).toBeNull()
  })
})

describe('divided', () => {
  it.each([[10, [1 / 3, 1 / 3, 1 / 3]], [7, [0.5, 0.5]], [0, [0.9, 0.1]], [1, [0.8, 0.1, 0.1]]])(
    'shares %d rows out to the last one',
    (total, shares) => {
      const rows = divided(total, shares)
      expect(rows.reduce((a, b) => a + b, 0)).toBe(total)
      expect(rows.every((n) => n >= 0)).toBe(true)
    },
  )
})

describe('splitShares', () => {
  it('gives the rest to the first part', () => {
    expect(splitShares({ validation: 0.1, test: 0.2 }, 'train')).toEqual([
      { name: 'train', share: 0.7 },
      { name: 'validation', share: 0.1 },
      { name: 'test', share: 0.2 },
    ])
  })

  it('has no rest when nothing is left', () => {
    expect(splitShares({ a: 0.5, b: 0.5 }, 'train').map(({ name }) => name)).toEqual(['a', 'b'])
    expect(splitShares({ a: 0.8, b: 0.9 }, 'train')).toHaveLength(2)
  })
})
