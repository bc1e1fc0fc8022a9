/** What is offered for a version that is held back is what works for it. */
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'
import { StateNotice } from './state-notice'
import type { Schemas } from '@/api/client'
import { renderPage, serve } from '@/testing/render'

const dataset = (more: object) =>
  ({
    id: 'd1', version: 2, status: 'blocked', filename: 'a.jsonl', source: null, columns: ['q', 'a'], mapping: null,
    counts: { kept: 8, repaired: 0, truncated: 0, dropped: 2 },
    error: { code: 'too_many_dropped_rows', message: '2 rows can not be used.', hint: 'Correct them.', params: { dropped: 2, max_dropped_rows: 0 } },
    ...more,
  }) as unknown as Schemas['Dataset']

function show(data: Schemas['Dataset'], version: object) {
  const asked = serve({
    'GET /api/v1/datasets/d1/versions': () => ({ body: { items: [{ version: 2, steps: [], sources: [], parent: null, ...version }], next_cursor: null } }),
    'PATCH /api/v1/datasets/d1': () => ({ body: { id: 'd1' } }),
  })
  renderPage(<StateNotice dataset={data} onShowReport={() => undefined} />)
  return asked
}

const steps = [{ kind: 'map' }]

it('offers a new file and another mapping for what was uploaded', async () => {
  show(dataset({}), {})
  expect(await screen.findByRole('link', { name: /Upload a corrected file/ })).toBeTruthy()
  expect(screen.getByRole('button', { name: /mapping/i })).toBeTruthy()
  expect(screen.getByRole('button', { name: 'Import without these 2 rows' })).toBeTruthy()
})

it('offers other steps for a version that was prepared', async () => {
  const user = userEvent.setup({ delay: null })
  const asked = show(dataset({}), { steps, parent: 1 })
  const again = await screen.findByRole('link', { name: /Change the steps/ })
  expect(again.getAttribute('href')).toMatch(/d1.*version=1$/)
  expect(screen.queryByRole('link', { name: /Upload a corrected file/ })).toBeNull()
  expect(screen.queryByRole('button', { name: /mapping/i })).toBeNull()
  await user.click(screen.getByRole('button', { name: 'Import without these 2 rows' }))
  await vi.waitFor(() => expect(asked.some(({ method }) => method === 'PATCH')).toBe(true))
  expect(await asked.find(({ method }) => method === 'PATCH')?.json()).toEqual({ max_dropped_rows: 2 })
})

it('leads a data set that was made of another one back to that one', async () => {
  const sources = [{ dataset_id: 'd0', version: 3, name: 'Base' }]
  show(dataset({ filename: null }), { steps, sources })
  const again = await screen.findByRole('link', { name: /Change the steps/ })
  expect(again.getAttribute('href')).toMatch(/d0.*version=3$/)
})

it('offers nothing that needs a file where there is none', async () => {
  show(dataset({ filename: null }), {})
  expect(await screen.findByRole('button', { name: /report/i })).toBeTruthy()
  expect(screen.queryByRole('link', { name: /Upload a corrected file/ })).toBeNull()
  expect(screen.queryByRole('button', { name: /mapping/i })).toBeNull()
})
