/** Answers at several steps: the newest first in view, the others one click away. */
import { fireEvent, screen } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { SamplesTab } from './samples-tab'
import type { Task } from '../api'
import { renderPage, serve } from '@/testing/render'

const TASK = { id: 't1' } as unknown as Task
const samples = (step: number, answer: string) => ({
  step,
  at: `2026-01-01T00:00:${String(step).padStart(2, '0')}Z`,
  items: [{ prompt: 'Hi?', expected: 'Hello.', answer }],
})

afterEach(() => vi.restoreAllMocks())

it('shows the newest and lets an earlier step be chosen', async () => {
  serve({
    'GET /api/v1/tasks/t1/samples': () => ({ body: [samples(10, 'early'), samples(20, 'late')] }),
  })
  renderPage(<SamplesTab task={TASK} />)
  await screen.findByText('late')
  expect(screen.queryByText('early')).toBeNull()
  fireEvent.click(screen.getByText('10'))
  await screen.findByText('early')
  expect(screen.getByRole('heading', { name: 'Step 10' })).toBeTruthy()
})

it('offers no choice where there is none', async () => {
  serve({ 'GET /api/v1/tasks/t1/samples': () => ({ body: [samples(10, 'only')] }) })
  renderPage(<SamplesTab task={TASK} />)
  await screen.findByText('only')
  expect(screen.queryByRole('radiogroup')).toBeNull()
})
