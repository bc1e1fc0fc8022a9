/** Where nothing was found, the page says in what nothing was looked for, too. */
import { screen } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { QualityTab } from './quality-tab'
import type { Schemas } from '@/api/client'
import { renderPage, serve } from '@/testing/render'

const DATASET = { id: 'd1', version: 1, status: 'ready' } as unknown as Schemas['Dataset']
const EXAMINED: Schemas['DatasetHygiene'] = {
  version: 1,
  status: 'ready',
  progress: null,
  eta_s: null,
  error: null,
  examined_rows: 500,
  near_compared_rows: 500,
  near_framed_rows: 0,
  near_left_out_rows: 0,
  language_rows: 0,
  findings: [],
  languages: [],
}

const show = (facts: Partial<Schemas['DatasetHygiene']>) => {
  serve({
    'GET /api/v1/datasets/d1/hygiene': () => ({ body: { ...EXAMINED, ...facts } }),
    'GET /api/v1/datasets': () => ({ body: { items: [], next_cursor: null } }),
  })
  renderPage(<QualityTab dataset={DATASET} busy={false} />)
}

afterEach(() => vi.restoreAllMocks())

it('calls rows clean when all of them were looked at', async () => {
  show({})
  expect(await screen.findByText(/Nothing was found that speaks against/)).toBeTruthy()
  expect(screen.queryByText('What was not looked at')).toBeNull()
})

it('says which rows were hardly compared, and why', async () => {
  show({ near_framed_rows: 480, near_left_out_rows: 1 })
  expect(await screen.findByText(/Nothing was found in what was looked at/)).toBeTruthy()
  expect(screen.queryByText(/speaks against/)).toBeNull()
  expect(screen.getByRole('heading', { name: 'What was not looked at' })).toBeTruthy()
  expect(screen.getByText(/480 rows are nearly all a text that a tenth/)).toBeTruthy()
  expect(screen.getByText(/1 row has hardly a word of its own/)).toBeTruthy()
})

it('says when only a sample was compared; what an older examination did not count is not told', async () => {
  show({ near_compared_rows: 250, near_framed_rows: null, near_left_out_rows: null })
  expect(await screen.findByText(/among 250 rows, an even sample/)).toBeTruthy()
  expect(screen.queryByText(/nearly all a text/)).toBeNull()
})
