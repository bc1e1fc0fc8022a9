/** The address says which runs; colours stay with their run. */
import { expect, it } from 'vitest'
import { colourPlaces, distinctNames, MAX_COMPARED, parseIds } from './runs'

const id = (n: number) => `01a22188-0598-7064-bd10-26a2f6f80${String(n).padStart(3, '0')}`

it('takes each id once, and not what is none', () => {
  expect(parseIds(`${id(1)}, ${id(2)},${id(1)},rubbish,`)).toEqual([id(1), id(2)])
  expect(parseIds('')).toEqual([])
  expect(parseIds(Array.from({ length: 30 }, (_, n) => id(n)).join())).toHaveLength(MAX_COMPARED)
})

it('keeps the colour of a run whatever the others do', () => {
  const first = colourPlaces(['a', 'b', 'c'], new Map())
  expect([...first.values()]).toEqual([0, 1, 2])
  const without = colourPlaces(['c', 'a'], first)
  expect([without.get('a'), without.get('c')]).toEqual([0, 2])
  expect(colourPlaces(['c', 'a', 'd'], without).get('d')).toBe(1)
})

it('tells two of the same name apart', () => {
  expect(distinctNames(['bot', 'bot', 'other'])).toEqual(['bot (1)', 'bot (2)', 'other'])
})
