/** A failed run says why in the language shown, and what may work instead at one click. */
import { screen, within } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { FailurePanel } from './failure-panel'
import type { Task } from '../api'
import { changeLanguage } from '@/i18n/language'
import { renderPage, serve } from '@/testing/render'

type Knobs = Partial<Task['hyperparameters']>

const ERROR = { code: 'out_of_memory', message: 'Too much.', hint: 'Less.', params: {} }

const failed = (error: Partial<typeof ERROR>, knobs: Knobs = {}, resumable = true) =>
  ({
    id: 't1',
    name: 'Orders',
    status: 'FAILED',
    objective: 'sft',
    method: 'lora',
    resumable,
    error: { ...ERROR, ...error },
    hyperparameters: { micro_batch_size: 'auto', gradient_checkpointing: false, ...knobs },
  }) as unknown as Task

afterEach(async () => {
  vi.restoreAllMocks()
  await changeLanguage('en')
})

const posts = (asked: Request[]) => asked.filter(({ method }) => method === 'POST')

const SMALLER = (size: number) => `Resume with micro-batch ${size}: same result, slower`
const RECOMPUTING = 'Resume with gradient checkpointing: same result, slower'

it.each<[object, Knobs, string, object]>([
  // What the engine has worked out; 0: not even one sample fits.
  [{ micro_batch_size: 4 }, { micro_batch_size: 16 }, SMALLER(4), { micro_batch_size: 4 }],
  [{ micro_batch_size: 0 }, { micro_batch_size: 8 }, RECOMPUTING, { gradient_checkpointing: true }],
  // What it could not work out.
  [{ tokens: 900 }, {}, SMALLER(1), { micro_batch_size: 1 }],
  [{ signal: 'SIGKILL' }, { micro_batch_size: 6 }, SMALLER(3), { micro_batch_size: 3 }],
  [{ tokens: 900 }, { micro_batch_size: 1 }, RECOMPUTING, { gradient_checkpointing: true }],
  // Without packing samples are computed singly already.
  [{ tokens: 900 }, { packing: false }, RECOMPUTING, { gradient_checkpointing: true }],
])('goes on in less memory at one click: %j of %j', async (params, knobs, name, body) => {
  const asked = serve({ 'POST /api/v1/tasks/t1/resume': () => ({ body: {} }) })
  const code = 'signal' in params ? 'host_out_of_memory' : 'out_of_memory'
  renderPage(<FailurePanel task={failed({ code, params }, knobs)} />, '/training/t1')
  ;(await screen.findByRole('button', { name })).click()
  await vi.waitFor(() => expect(posts(asked)).toHaveLength(1))
  expect(await posts(asked)[0]?.json()).toEqual(body)
})

it('begins again in less memory where there is no checkpoint', async () => {
  const asked = serve({ 'POST /api/v1/tasks/t1/restart': () => ({ body: {} }) })
  renderPage(<FailurePanel task={failed({}, {}, false)} />, '/training/t1')
  ;(await screen.findByRole('button', { name: /^Start again with micro-batch 1/ })).click()
  await vi.waitFor(() => expect(posts(asked)).toHaveLength(1))
})

it.each<[Partial<typeof ERROR>, Knobs]>([
  [{}, { micro_batch_size: 1, gradient_checkpointing: true }],
  [{ code: 'nan_loss' }, {}],
])('offers nothing of that where it does not help: %j of %j', async (error, knobs) => {
  serve({})
  renderPage(<FailurePanel task={failed(error, knobs)} />, '/training/t1')
  await screen.findByRole('button', { name: /Resume from checkpoint/ })
  expect(screen.queryByRole('button', { name: /same result/ })).toBeNull()
})

it('shows also the words of the server where it translates', async () => {
  await changeLanguage('zh-CN')
  serve({})
  renderPage(<FailurePanel task={failed({})} />, '/training/t1')
  await screen.findByText('内存或显存不足。')
  await screen.findByText('服务器原文：Too much. Less.')
})

it.each([
  ['bad_dataset', false, ['Clone with changes', 'Start again from the beginning']],
  ['nan_loss', true, ['Clone with changes', 'Resume from checkpoint']],
  ['engine_crashed', true, ['Resume from checkpoint', 'Clone with changes']],
])('puts first what helps after %s', async (code, resumable, wanted) => {
  serve({})
  renderPage(<FailurePanel task={failed({ code }, {}, resumable)} />, '/training/t1')
  const panel = within(await screen.findByRole('alert'))
  const shown = [...panel.queryAllByRole('button'), ...panel.queryAllByRole('link')]
    .filter(({ textContent }) => wanted.includes(textContent))
    .sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1))
  expect(shown.map(({ textContent }) => textContent)).toEqual(wanted)
  expect(shown[0]?.className).toContain('primary')
})

it('leaves the room to the log beside it: what happened, and one way on', async () => {
  serve({})
  renderPage(<FailurePanel task={failed({ code: 'internal' })} brief />, '/training/t1')
  const panel = within(await screen.findByRole('alert'))
  expect(panel.queryByText(/nobody foresaw/)).toBeNull()
  expect(panel.queryByRole('link')).toBeNull()
})
