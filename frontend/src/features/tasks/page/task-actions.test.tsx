/** What is pressed twice happens once. */
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, it, vi } from 'vitest'
import { FailurePanel } from './failure-panel'
import { TaskActions } from './task-actions'
import type { Task } from '../api'
import { renderPage, serve } from '@/testing/render'

const FAILED = {
  id: 't1',
  name: 'Orders',
  status: 'FAILED',
  resumable: true,
  has_artifact: false,
  error: { code: 'engine_crashed', message: 'It ended.', hint: 'Resume it.', params: {} },
} as unknown as Task
const RESUME = 'POST /api/v1/tasks/t1/resume'

afterEach(() => vi.restoreAllMocks())

it('resumes once, whichever buttons are pressed how often', async () => {
  let tell: (answer: { body: Task }) => void = () => undefined
  const answer = new Promise<{ body: Task }>((resolve) => (tell = resolve))
  const asked = serve({ [RESUME]: () => answer })
  renderPage(
    <>
      <TaskActions task={FAILED} />
      <FailurePanel task={FAILED} />
    </>,
    '/training/t1',
  )
  for (const button of await screen.findAllByRole('button', { name: /Resume from checkpoint/ })) {
    button.click()
    button.click()
  }
  tell({ body: { ...FAILED, status: 'PENDING' } })
  await vi.waitFor(() => expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(1))
})

it('goes on with the smaller micro-batch that fits at one click', async () => {
  const asked = serve({ [RESUME]: () => ({ body: { ...FAILED, status: 'PENDING' } }) })
  const error = { code: 'out_of_memory', message: 'Too much.', hint: 'Less.', params: { micro_batch_size: 4 } }
  renderPage(
    <FailurePanel task={{ ...FAILED, error, hyperparameters: { micro_batch_size: 8 } } as unknown as Task} />,
    '/training/t1',
  )
  ;(await screen.findByRole('button', { name: 'Resume with micro-batch 4' })).click()
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  expect(await asked[0]?.json()).toEqual({ micro_batch_size: 4 })
})

it.each([
  [{ micro_batch_size: 0 }, 8], // the engine: not even one row fits
  [{ tokens: 900 }, 'auto'],
])('offers no smaller one where there is none: %j of %j', async (params, micro_batch_size) => {
  serve({})
  const error = { code: 'out_of_memory', message: 'Too much.', hint: 'Less.', params }
  renderPage(
    <FailurePanel task={{ ...FAILED, error, hyperparameters: { micro_batch_size } } as unknown as Task} />,
    '/training/t1',
  )
  await screen.findByRole('button', { name: /Resume from checkpoint/ })
  expect(screen.queryByRole('button', { name: /micro-batch/ })).toBeNull()
})

it('may be pressed again when it has failed', async () => {
  const user = userEvent.setup({ delay: null })
  const asked = serve({ [RESUME]: () => ({ status: 503, body: { code: 'Unavailable', detail: 'Later.' } }) })
  renderPage(<FailurePanel task={FAILED} />, '/training/t1')
  const button = await screen.findByRole('button', { name: /Resume from checkpoint/ })
  await user.click(button)
  await screen.findByText('That did not work')
  await user.click(button)
  await vi.waitFor(() => expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(2))
})
