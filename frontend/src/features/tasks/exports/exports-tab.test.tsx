/** Exports: chosen, asked for, shown with what the check has found. */
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Task } from '../api'
import type { Export, ExportChoice } from './api'
import { ExportsTab } from './exports-tab'
import { changeLanguage } from '@/i18n/language'
import { renderPage, serve } from '@/testing/render'

const TASK = { id: 't1', name: 'Orders', status: 'COMPLETED', has_artifact: true } as unknown as Task
const LIST = 'GET /api/v1/tasks/t1/exports'
const FORMATS = 'GET /api/v1/tasks/t1/exports/formats'
const choice = (format: ExportChoice['format'], more: Partial<ExportChoice> = {}): ExportChoice => ({
  format,
  size_bytes: 1024 ** 3,
  unavailable: null,
  ...more,
})
const CHOICES = [
  choice('merged'),
  choice('gguf_f16'),
  choice('gguf_q8_0', {
    unavailable: { code: 'gguf_family_unknown', message: 'Not yet.', params: { family: 'phi3', known: 'llama' } },
  }),
]
const DONE = {
  id: 'e1',
  task_id: 't1',
  format: 'gguf_f16',
  status: 'COMPLETED',
  progress: 1,
  size_bytes: 2 * 1024 ** 2,
  filename: 'orders-F16.gguf',
  checks: { top1_agreement: 0.975, positions: 162, relative_error: 0.0327, limit: 0.1 },
  error: null,
  created_at: '2026-01-01T12:00:00Z',
} as unknown as Export

beforeEach(() => changeLanguage('en'))
afterEach(() => vi.restoreAllMocks())

it('asks for the format and the size of the files', async () => {
  const user = userEvent.setup({ delay: null })
  const asked = serve({
    [LIST]: () => ({ body: { items: [] } }),
    [FORMATS]: () => ({ body: CHOICES }),
    'POST /api/v1/tasks/t1/exports': () => ({ status: 202, body: { ...DONE, status: 'PENDING' } }),
  })
  renderPage(<ExportsTab task={TASK} />, '/training/t1')
  await screen.findByText('Nothing exported yet.')
  await user.click(screen.getByRole('button', { name: /Export…/ }))
  const dialog = within(await screen.findByRole('dialog'))
  expect(await dialog.findByRole<HTMLInputElement>('radio', { name: /Q8_0/ })).toHaveProperty('disabled', true)
  dialog.getByText(/family phi3/)
  const size = dialog.getByRole('spinbutton', { name: 'Largest file' })
  await user.clear(size)
  await user.type(size, '2')
  await user.click(dialog.getByRole('button', { name: 'Export' }))
  await vi.waitFor(() => expect(asked.some(({ method }) => method === 'POST')).toBe(true))
  const sent = asked.find(({ method }) => method === 'POST')
  expect(await sent?.json()).toEqual({ format: 'merged', max_shard_bytes: 2_000_000_000 })
})

it('offers what is complete, with its figures', async () => {
  serve({ [LIST]: () => ({ body: { items: [DONE] } }) })
  renderPage(<ExportsTab task={TASK} />, '/training/t1')
  const link = await screen.findByRole('link', { name: /Download/ })
  expect(link.getAttribute('href')).toBe('/api/v1/tasks/t1/exports/e1/download')
  screen.getByText('Same likeliest token at 97.5% of 162 positions')
  screen.getByText('Scores off by 3.27% (10% allowed)')
})

it('shows progress while it runs and the reason when it failed', async () => {
  const error = { code: 'checkpoint_corrupt', message: 'Off by 70%.', hint: 'Take another format.', params: {} }
  const items = [
    { ...DONE, id: 'e2', status: 'RUNNING', progress: 0.4, checks: null },
    { ...DONE, id: 'e3', status: 'FAILED', checks: null, error },
  ]
  serve({ [LIST]: () => ({ body: { items } }) })
  renderPage(<ExportsTab task={TASK} />, '/training/t1')
  expect((await screen.findByRole('progressbar')).getAttribute('aria-valuenow')).toBe('40')
  screen.getByText(/does not compute what was trained/)
  screen.getByText(/Off by 70%/)
  expect(screen.queryByRole('link', { name: /Download/ })).toBeNull()
})

it('says in Chinese that there is nothing yet', async () => {
  await changeLanguage('zh-CN')
  serve({})
  renderPage(<ExportsTab task={{ ...TASK, has_artifact: false }} />, '/training/t1')
  await screen.findByText(/训练完成后才有/)
})

it.each([
  ['sft', 'Same likeliest token at 97.5% of 162 positions'],
  ['classify', 'Same first label for 97.5% of 162 texts'],
  ['reward', 'Scores compared on 162 texts'],
] as const)('says what was compared for %s', async (objective, text) => {
  serve({ [LIST]: () => ({ body: { items: [DONE] } }) })
  renderPage(<ExportsTab task={{ ...TASK, objective } as Task} />, '/training/t1')
  await screen.findByText(text)
})

it.each([
  ['lora', /adapter folded into its base/],
  ['full', /whole model as it was trained/],
] as const)('says what a model folder of %s holds', async (method, text) => {
  const user = userEvent.setup({ delay: null })
  serve({ [LIST]: () => ({ body: { items: [DONE] } }), [FORMATS]: () => ({ body: CHOICES }) })
  renderPage(<ExportsTab task={{ ...TASK, method } as Task} />, '/training/t1')
  await user.click(await screen.findByRole('button', { name: /Export…/ }))
  await screen.findByText(text)
})

it('tells a failure in the language shown, and marks the original', async () => {
  const error = { code: 'disk_full', message: 'No room.', hint: 'Free some.', params: {} }
  serve({ [LIST]: () => ({ body: { items: [{ ...DONE, status: 'FAILED', checks: null, error }] } }) })
  await changeLanguage('zh-CN')
  renderPage(<ExportsTab task={TASK} />, '/training/t1')
  await screen.findByText('磁盘可用空间不足。')
  await screen.findByText('请腾出磁盘空间，然后重新导出。')
  await screen.findByText('服务器原文：No room. Free some.')
})
