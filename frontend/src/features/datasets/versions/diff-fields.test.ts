import { expect, it } from 'vitest'
import { changedFields, comparedIn } from './diff-fields'

const own = (pieces: { text: string; own: boolean }[]) => pieces.filter((each) => each.own).map(({ text }) => text)
const text = (pieces: { text: string }[]) => pieces.map((each) => each.text).join('')

it('marks the words that differ, and leaves equal fields out', () => {
  const [field, ...others] = changedFields({ text: 'the third defect', label: 'x' }, { text: 'the fourth defect', label: 'x' })
  expect(others).toEqual([])
  expect(field?.name).toBe('text')
  expect(own(field?.before ?? [])).toEqual(['third'])
  expect(own(field?.after ?? [])).toEqual(['fourth'])
})

it('shows a field that only one of them has', () => {
  const [field] = changedFields({ text: 'a' }, { text: 'a', label: 'new' })
  expect(field).toMatchObject({ name: 'label', before: [], after: [{ text: 'new', own: true }] })
})

it('compares conversations by what is said, calls too', () => {
  const call = (city: string) => [{ function: { name: 'weather', arguments: `{"city":"${city}"}` } }]
  const row = (city: string) => ({ messages: [{ role: 'assistant', content: '', tool_calls: call(city) }] })
  const [field] = changedFields(row('Rome'), row('Oslo'))
  expect(own(field?.after ?? [])).toEqual(['Oslo'])
})

it('tells a change of what stands beside the record, not of the line', () => {
  const row = (id: number, line: number) => ({ text: 'a', meta: { line, extra: { id } } })
  expect(changedFields(row(1, 1), row(1, 9))).toEqual([])
  expect(changedFields(row(1, 1), row(2, 1)).map(({ name }) => name)).toEqual(['extra'])
})

it('loses nothing of texts that are too long to compare', () => {
  const [a, b] = ['word '.repeat(3000), 'other '.repeat(3000)]
  const [field] = changedFields({ text: a }, { text: b })
  expect(text(field?.before ?? [])).toBe(a)
  expect(text(field?.after ?? [])).toBe(b)
})

it.each([['3-2', { version: 3, against: 2 }], ['2-2', null], ['', null], ['0-1', null], ['a-b', null], ['1-2-3', null]])(
  'reads %j of the address',
  (given, expected) => {
    expect(comparedIn(given)).toEqual(expected)
  },
)
