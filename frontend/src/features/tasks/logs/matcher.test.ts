import { describe, expect, it } from 'vitest'
import { matcherOf } from './matcher'
import { piecesOf } from './pieces'

const find = (q: string, text: string, more = {}) =>
  matcherOf({ q, regex: false, matchCase: false, only: false, ...more })(text)

describe('text', () => {
  it('is found whatever the case, or not', () => {
    expect(find('loss', 'a LOSS, a loss')).toEqual([[2, 6], [10, 14]])
    expect(find('loss', 'a LOSS, a loss', { matchCase: true })).toEqual([[10, 14]])
  })
  it('is no pattern', () => expect(find('a.c*', 'abc a.c*')).toEqual([[4, 8]]))
  it('may be any sign', () => {
    for (const sign of '\\^$.*+?()[]{}|/-&#') expect(find(sign, `x${sign}y`)).toEqual([[1, 2]])
  })
})

describe('a pattern', () => {
  const regex = { regex: true }
  it('is found', () => expect(find('step (\\d+)/', 'step 12/93', regex)).toEqual([[0, 8]]))
  it('may be written in the server’s way', () => {
    expect(find('(?i)LOSS', 'loss', { ...regex, matchCase: true })).toEqual([[0, 4]])
    expect(find('(?P<n>\\d)', 'a1', regex)).toEqual([[1, 2]])
  })
  it('that matches nothing marks nothing, and ends', () => expect(find('x*', 'abc', regex)).toEqual([]))
  it('that the browser does not know marks nothing', () => expect(find('(?P=', 'abc', regex)).toEqual([]))
  it('is never looked for long', () => {
    const text = 'a'.repeat(60_000)
    const started = performance.now()
    for (const q of ['(a+)+$', '(a|a)*b', '.*.*.*x', '(a*)*b', 'a*a*a*a*b']) find(q, text, regex)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('pieces', () => {
  it('carry colour and match at once', () => {
    expect(piecesOf('red loss end', [[0, 8, '31']], [[4, 8]])).toEqual([
      { text: 'red ', code: '31', match: false },
      { text: 'loss', code: '31', match: true },
      { text: ' end', code: '', match: false },
    ])
  })
  it('are always the whole text, whatever the spans', () => {
    for (const spans of [[[5, 2, '1']], [[-3, 99, '1']], [[50, 60, '1']], [[0, 0, '1'], [1, 3, '2'], [2, 5, '3']]]) {
      const pieces = piecesOf('abcdef', spans as never, [[2, 4]])
      expect(pieces.map(({ text }) => text).join('')).toBe('abcdef')
    }
  })
})
