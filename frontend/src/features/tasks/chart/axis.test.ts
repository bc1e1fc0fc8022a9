/** Steps, epochs and time spent: a pause between two attempts is not training. */
import { expect, it } from 'vitest'
import { axisFacts, epochsPerStep, placeOfStep, placesOf } from './axis'

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()
const points = [
  { step: 10, value: 3, at: at(0) },
  { step: 20, value: 2, at: at(10) },
  { step: 30, value: 1, at: at(5000) },
  { step: 40, value: 1, at: at(5010) },
]
const facts = { epochsPerStep: 0.1, attempts: { '1': 0, '2': 20 }, began: Date.parse(at(0)) }

it('leaves out the time between two attempts', () => {
  expect(placesOf(points, 'time', facts)).toEqual([0, 10, 10, 20])
  expect(placesOf(points, 'time', { ...facts, attempts: { '1': 0 } })).toEqual([0, 10, 5000, 5010])
})

it('counts epochs by their share of a step, and says when it can not', () => {
  expect(placesOf(points, 'epoch', facts)).toEqual([1, 2, 3, 4])
  expect(placesOf(points, 'epoch', { ...facts, epochsPerStep: null })).toEqual([null, null, null, null])
  expect(epochsPerStep({ epoch: 2, step: 40 })).toBe(0.05)
  expect(epochsPerStep({ epoch: null, step: 40 })).toBeNull()
})

it('finds a step between two points', () => {
  const places = placesOf(points, 'time', { ...facts, attempts: { '1': 0 } })
  expect(placeOfStep(15, points, places)).toBe(5)
  expect(placeOfStep(10, points, places)).toBe(0)
  expect(placeOfStep(99, points, places)).toBe(5010)
  expect(placeOfStep(1, [], [])).toBeNull()
})

it('begins the time with the first point of any curve', () => {
  const later = points.slice(1)
  const metrics = { series: { loss: points, eval_loss: later }, attempts: { '1': 0 }, checkpoints: [], next: '' }
  const found = axisFacts({ epoch: 1, step: 10 }, metrics)
  expect(placesOf(later, 'time', found)).toEqual([10, 5000, 5010])
})
