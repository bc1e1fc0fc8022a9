/** An estimate is compared with what it was for, and the result is called what it is. */
import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import type { Task } from '../api'
import { TimeSides, useResultText } from './expectation'
import { renderPage } from '@/testing/render'

const TASK = {
  status: 'COMPLETED',
  started_at: '2026-01-01T12:00:00Z',
  finished_at: '2026-01-01T12:02:00Z',
  estimate: { time_low_s: 100, time_high_s: 140 },
  hyperparameters: { output_checkpoint: 'best' },
  metrics: { output_step: 40, eval_loss: 1.2 },
} as unknown as Task

function Result({ task }: { task: Task }) {
  return <>{useResultText(task)}</>
}

it.each([
  [{ attempt: 1, resumed: false }, 'Estimated 1 min 40 s to 2 min 20 s · used 2 min 00 s'],
  [{ attempt: 2, resumed: false }, 'Estimated 1 min 40 s to 2 min 20 s · used 2 min 00 s'], // from the beginning
  [{ attempt: 2, resumed: true }, 'Estimated 1 min 40 s to 2 min 20 s'], // says nothing of the whole
])('shows the time of %j: %s', async (attempt, text) => {
  renderPage(<TimeSides task={{ ...TASK, ...attempt }} />)
  expect(await screen.findByText(text)).toBeTruthy()
})

it.each([
  [{ output_step: 40, eval_loss: 1.2 }, /Step 40 – .*best/i],
  [{ output_step: 40 }, /Step 40 – .*last/i],
])('names the state that was taken: %j', async (metrics, text) => {
  renderPage(<Result task={{ ...TASK, metrics }} />)
  expect(await screen.findByText(text)).toBeTruthy()
})
