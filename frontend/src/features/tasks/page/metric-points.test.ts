import { describe, expect, it } from 'vitest'
import { mergePoints, resumedSteps } from './metric-points'

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`
const empty = { series: {}, attempts: {}, checkpoints: [], next: '' }

describe('mergePoints', () => {
  it('adds new points and leaves the given object alone', () => {
    const before = { ...empty, series: { loss: [{ step: 1, value: 2, at: at(1) }] } }
    const after = mergePoints(before, [{ step: 2, at: at(2), values: { loss: 1.5, lr: 0.1 } }])
    expect(after.series.loss?.map(({ value }) => value)).toEqual([2, 1.5])
    expect(after.series.lr).toHaveLength(1)
    expect(before.series.loss).toHaveLength(1)
  })

  it('takes an event that was already loaded only once', () => {
    const point = { step: 1, at: at(1), values: { loss: 2 } }
    const after = mergePoints(mergePoints(empty, [point]), [point])
    expect(after.series.loss).toHaveLength(1)
  })

  it('lets a resumed attempt replace the steps it repeats', () => {
    const first = [1, 2, 3].map((step) => ({ step, at: at(step), values: { loss: step } }))
    const again = mergePoints(mergePoints(empty, first), [
      { step: 2, at: at(9), values: { loss: 20 } },
    ])
    expect(again.series.loss?.map(({ step, value }) => [step, value])).toEqual([
      [1, 1],
      [2, 20],
    ])
  })
})

it('marks where the present curve was resumed, not what was before a restart', () => {
  expect(resumedSteps({ '1': 0 })).toEqual([])
  expect(resumedSteps({ '1': 0, '2': 17 })).toEqual([17])
  expect(resumedSteps({ '1': 0, '2': 17, '3': 0, '4': 6, '10': 9 })).toEqual([6, 9])
})
