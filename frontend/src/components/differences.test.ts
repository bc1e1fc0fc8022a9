/** What both answers say stays unmarked; every letter of both is kept. */
import { expect, it } from 'vitest'
import { differences, type Piece } from './differences'

const shown = (pieces: Piece[]) => pieces.map(({ text, own }) => (own ? `[${text}]` : text)).join('')
const compare = (a: string, b: string) => differences(a, b)?.map(shown)

it.each([
  ['same words', 'same words', 'same words', 'same words'],
  ['the red door', 'the blue door', 'the [red] door', 'the [blue] door'],
  ['', 'new', '', '[new]'],
  ['old', '', '[old]', ''],
  ['我要退货', '我想退货', '我[要]退货', '我[想]退货'],
])('%j and %j', (a, b, left, right) => {
  expect(compare(a, b)).toEqual([left, right])
})

it('loses nothing', () => {
  const [a, b] = ['Yes! We open at 9.\nCome in.', 'We open at 10, every day.\n\nYes.']
  const found = differences(a, b)
  expect(found?.map((pieces) => pieces.map(({ text }) => text).join(''))).toEqual([a, b])
})

it('does not try to compare books', () => {
  expect(differences('a '.repeat(3000), 'b '.repeat(3000))).toBeNull()
})
