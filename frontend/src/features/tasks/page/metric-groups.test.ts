/** Every series is shown once, also one that nobody has heard of. */
import { expect, it } from 'vitest'
import { groupsOf, ownMetrics } from './metric-groups'

const point = (step: number, value: number) => ({ step, value, at: '2026-01-01T00:00:00Z' })

it('puts training and held-out rows of one measure together', () => {
  const groups = groupsOf({
    loss: [point(1, 2)],
    eval_loss: [point(1, 2)],
    learning_rate: [point(1, 0.1)],
    eval_accuracy: [point(2, 0.5)],
    accuracy: [point(1, 0.4)],
    eval_brand_new: [point(1, 7)],
  })
  expect(groups.map(({ name, train, evaluation }) => [name, train.length, evaluation.length])).toEqual([
    ['learning_rate', 1, 0],
    ['accuracy', 1, 1],
    ['brand_new', 0, 1],
  ])
})

it('prefers what was measured on held-out rows', () => {
  expect(ownMetrics({ accuracy: 0.9, eval_accuracy: 0.8, kl: 0.1, eval_kl: null, loss: 1 })).toEqual([
    { name: 'accuracy', value: 0.8, heldOut: true },
    { name: 'kl', value: 0.1, heldOut: false },
  ])
  expect(ownMetrics({ loss: 1, eval_loss: 2 })).toEqual([])
})
