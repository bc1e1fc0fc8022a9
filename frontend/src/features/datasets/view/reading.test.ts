import { expect, it } from 'vitest'
import { balanceHint } from './balance'
import { readingOf } from './reading'
import { numberIn, pageOf } from './rows-state'

const question = [{ role: 'user', content: 'Q' }]
const answer = (content: string) => [{ role: 'assistant', content }]

it('reads a preference with both answers', () => {
  const found = readingOf({ messages: question, chosen: answer('good'), rejected: answer('bad') }, 'preference')
  expect(found?.turns).toHaveLength(1)
  expect(found?.chosen?.[0]?.content).toBe('good')
  expect(found?.rejected?.[0]?.content).toBe('bad')
})

it('gives each rated step its verdict in place of a label', () => {
  const messages = [...question, ...answer('one'), ...answer('two')]
  const found = readingOf({ messages, label: [1, 0] }, 'stepwise_supervision')
  expect(found).toMatchObject({ verdicts: [true, false], label: null })
})

it('keeps labels that are no verdicts of steps', () => {
  const messages = [...question, ...answer('one')]
  expect(readingOf({ messages, label: [1, 0] }, 'stepwise_supervision')?.label).toEqual([1, 0])
  expect(readingOf({ messages, label: [0.5] }, 'stepwise_supervision')?.label).toEqual([0.5])
  expect(readingOf({ messages, label: false }, 'unpaired_preference')?.label).toBe(false)
  expect(readingOf({ text: 'T', label: 0 }, 'classification')).toMatchObject({ text: 'T', label: 0 })
})

it('names the tools, whatever shape they have', () => {
  const tools = [{ type: 'function', function: { name: 'now' } }, { name: 'plain' }, 'odd', null]
  expect(readingOf({ messages: question, tools }, 'conversational')?.tools.map(({ name }) => name)).toEqual([
    'now', 'plain', '#3', '#4',
  ])
})

it('reads nothing into rows that nobody has mapped', () => {
  expect(readingOf({ text: 'T' }, null)).toBeNull()
  expect(readingOf({ foo: 1 }, 'conversational')).toBeNull()
})

it('warns of labels that are rare beside others, and only of those', () => {
  const count = (...counts: number[]) => balanceHint(counts.map((n, i) => ({ label: `l${i}`, count: n })))
  expect(count(100, 20)).toMatchObject({ most: 'l0', least: 'l1', times: 5 })
  expect(count(100, 30)).toBeNull()
  expect(count(100)).toBeNull()
  expect(count()).toBeNull()
  expect(count(100, 0)).toBeNull()
})

it('finds the page of a place, and takes no rubbish from the address', () => {
  expect([1, 100, 101].map((place) => pageOf(place, 100))).toEqual([1, 1, 2])
  expect(['7', '0', '-1', '1.5', '1e3', 'x', '', '9'.repeat(30)].map(numberIn)).toEqual([
    7, null, null, null, null, null, null, null,
  ])
})
