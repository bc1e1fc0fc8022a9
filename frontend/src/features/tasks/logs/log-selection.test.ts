import { describe, expect, it } from 'vitest'
import type { LogLine } from './log-api'
import { ordered, placeOf, textOf } from './log-selection'
import { actionOf, isFind } from './log-keys'
import { elapsed } from './row-look'
import { forField, fromField } from './local-time'

const line = (text: string, continued = false) => ({ text, continued }) as LogLine

describe('a selection', () => {
  it('may begin below its end', () => {
    const [a, b] = [{ row: 3, offset: 2 }, { row: 1, offset: 5 }]
    expect(ordered(a, b)).toEqual({ from: b, to: a })
    expect(ordered({ row: 1, offset: 9 }, { row: 1, offset: 2 }).from.offset).toBe(2)
  })

  it('is the text of its lines, the parts of a long one as one', () => {
    const lines = [line('first'), line('long ', true), line('line'), line('last')]
    expect(textOf(lines, { from: { row: 7, offset: 2 }, to: { row: 10, offset: 2 } })).toBe('rst\nlong line\nla')
    expect(textOf([line('alone')], { from: { row: 0, offset: 1 }, to: { row: 0, offset: 3 } })).toBe('lo')
    expect(textOf(lines, { from: { row: 0, offset: 0 }, to: { row: 3, offset: Infinity } })).toBe('first\nlong line\nlast')
  })

  it('knows its place among the pieces of a line', () => {
    document.body.innerHTML =
      '<div data-row="5"><a>6</a><span class="log-text">a <mark>loss</mark> b</span></div><p>elsewhere</p>'
    const mark = document.querySelector('mark')?.firstChild ?? null
    expect(placeOf(mark, 2)).toEqual({ row: 5, offset: 4 })
    expect(placeOf(document.querySelector('a')?.firstChild ?? null, 1)).toEqual({ row: 5, offset: 0 })
    expect(placeOf(document.querySelector('p'), 0)).toBeNull()
    expect(placeOf(null, 0)).toBeNull()
  })
})

describe('keys', () => {
  const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more })
  it('are ours alone, and not with modifiers', () => {
    expect(actionOf(press('f'))).toEqual({ kind: 'follow' })
    expect(actionOf(press('N', { shiftKey: true }))).toEqual({ kind: 'previous' })
    expect(actionOf(press('f', { ctrlKey: true }))).toBeNull()
    expect(actionOf(press('ArrowDown', { shiftKey: true }))).toBeNull()
    expect(actionOf(press('End', { ctrlKey: true }))).toEqual({ kind: 'end' })
    expect(actionOf(press('x'))).toBeNull()
    expect(actionOf(press('n', { altKey: true }))).toBeNull()
  })
  it('of a search are those of the browser', () => {
    expect(isFind(press('F', { metaKey: true }))).toBe(true)
    expect(isFind(press('f'))).toBe(false)
  })
})

it('tells times since the start', () => {
  expect(elapsed('2026-01-01T01:02:03.456Z', '2026-01-01T00:00:00Z')).toBe('+1:02:03.5')
  expect(elapsed('2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z')).toBe('-0:00:01.0')
  expect(elapsed('rubbish', '2026-01-01T00:00:01Z')).toBe('–')
})

it('reads moments from fields as it writes them', () => {
  const at = '2026-03-05T17:20:09.000Z'
  expect(fromField(forField(at))).toBe(at)
  expect([forField(''), fromField(''), fromField('rubbish'), forField('rubbish')]).toEqual(['', '', '', ''])
})
