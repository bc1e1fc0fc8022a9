/** What is pressed twice happens once, and what gives something up asks first. */
import { screen, within } from '@testing-library/react'
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

const RESTART = 'POST /api/v1/tasks/t1/restart'

async function chooseRestart(task: Task) {
  const asked = serve({ [RESTART]: () => ({ body: { ...task, status: 'PENDING' } }) })
  const user = userEvent.setup({ delay: null })
  renderPage(<TaskActions task={task} />, '/training/t1')
  await user.click(await screen.findByRole('button', { name: 'More actions' }))
  await user.click(await screen.findByText('Start again from the beginning'))
  return { asked, user }
}

it('asks before it gives up a checkpoint', async () => {
  const { asked, user } = await chooseRestart({ ...FAILED, step: 1194 })
  const dialog = within(await screen.findByRole('dialog'))
  dialog.getByText(/up to step 1,194 is given up/)
  expect(asked).toEqual([])
  await user.click(dialog.getByRole('button', { name: 'Start again from the beginning' }))
  await vi.waitFor(() => expect(asked).toHaveLength(1))
})

it('begins again at once where there is no checkpoint', async () => {
  const { asked } = await chooseRestart({ ...FAILED, resumable: false })
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  expect(screen.queryByRole('dialog')).toBeNull()
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
