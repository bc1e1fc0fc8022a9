/** The rows say what can be learnt from them, and the model what it can learn. */
import { expect, it } from 'vitest'
import { cardOf, CARDS, fittingObjective, obstacleOf, type Objective } from './objectives'

const of = (...objectives: Objective[]) => ({ status: 'ready' as const, objectives })

const ANSWERS = of('sft', 'seq2seq')
const PAIRS = of('dpo', 'ipo', 'orpo', 'simpo', 'cpo', 'reward')
const DECODER = of('sft', 'pretrain', 'classify', 'dpo', 'ipo', 'orpo', 'simpo', 'cpo', 'kto', 'reward')
const T5 = of('seq2seq')
const BERT = of('classify', 'reward')

it.each([
  ['sft', ANSWERS, DECODER, 'sft'],
  ['sft', PAIRS, DECODER, 'dpo'],
  ['orpo', PAIRS, DECODER, 'orpo'],
  ['sft', ANSWERS, T5, 'seq2seq'],
  ['sft', PAIRS, BERT, 'reward'],
  // No objective fits both: then at least the rows, and the page says what is wrong with the model.
  ['sft', of('classify'), T5, 'classify'],
  ['sft', of('sft', 'seq2seq'), BERT, 'sft'],
  ['sft', undefined, DECODER, 'sft'],
  ['classify', of('classify'), undefined, 'classify'],
] as const)('%s with %j and %j: %s', (present, rows, model, expected) => {
  expect(fittingObjective(present, rows, model)).toBe(expected)
})

it('asks nothing of what is not ready', () => {
  const importing = { status: 'importing' as const, objectives: [] }
  expect(fittingObjective('sft', importing, DECODER)).toBe('sft')
  expect(obstacleOf('dpo', importing, DECODER)).toBeNull()
})

it('says whether rows or model are in the way', () => {
  expect(obstacleOf('dpo', ANSWERS, BERT)).toBe('rows')
  expect(obstacleOf('sft', ANSWERS, BERT)).toBe('model')
  expect(obstacleOf('sft', ANSWERS, DECODER)).toBeNull()
})

it('has one card for all ways to learn preferences', () => {
  expect(CARDS.filter((card) => cardOf(card) !== card)).toEqual([])
  expect([cardOf('simpo'), cardOf('kto')]).toEqual(['dpo', 'kto'])
})
