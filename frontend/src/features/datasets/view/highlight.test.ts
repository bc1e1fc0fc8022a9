import { describe, expect, it } from 'vitest'
import { excerptOf, highlighted } from './highlight'

const hits = (text: string, query: string) =>
  highlighted(text, query).filter(({ hit }) => hit).map((piece) => piece.text)
const whole = (text: string, query: string) => highlighted(text, query).map((piece) => piece.text).join('')

describe('highlighted', () => {
  it('finds every place whatever the case, and keeps the text', () => {
    expect(hits('City of cities, CITY', 'city')).toEqual(['City', 'CITY'])
    expect(whole('City of cities, CITY', 'city')).toBe('City of cities, CITY')
  })

  it('folds as the server does: ß is ss, and letters that grow keep their places', () => {
    expect(hits('Die Straße ist lang', 'STRASSE')).toEqual(['Straße'])
    expect(hits('ﬁne İstanbul end', 'end')).toEqual(['end'])
    expect(whole('ﬁne İstanbul end', 'end')).toBe('ﬁne İstanbul end')
  })

  it.each([['', 'a', []], ['abc', '', []], ['aaaa', 'aa', ['aa', 'aa']], ['😀 ok 😀', '😀', ['😀', '😀']]])(
    'of %j with %j marks %j',
    (text, query, expected) => {
      expect(hits(text, query)).toEqual(expected)
      expect(whole(text, query)).toBe(text)
    },
  )

  it('takes what is searched for as text, not as an expression', () => {
    expect(hits('a.c abc', 'a.c')).toEqual(['a.c'])
  })
})

describe('excerptOf', () => {
  it('leaves short texts whole', () => {
    expect(excerptOf('short', 'x', 10)).toEqual({ text: 'short', before: false, after: false })
  })

  it('shows the beginning when the hit is there or nowhere', () => {
    expect(excerptOf('abc'.repeat(100), 'abc', 30)).toMatchObject({ before: false, after: true })
    expect(excerptOf('abc'.repeat(100), 'nowhere', 30).text).toHaveLength(30)
  })

  it('shows what stands around a hit that is further on', () => {
    const found = excerptOf(`${'x'.repeat(500)}needle${'y'.repeat(500)}`, 'NEEDLE', 100)
    expect(found.text).toContain('needle')
    expect(found).toMatchObject({ before: true, after: true })
  })

  it('never cuts a character in two', () => {
    const { text } = excerptOf('😀'.repeat(50), '', 33)
    expect(text).toBe('😀'.repeat(16))
  })
})
