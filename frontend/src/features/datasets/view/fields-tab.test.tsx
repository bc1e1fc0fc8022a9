/** Fields are described in the user's language, and what is little is not called nothing. */
import { screen } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { FieldsTab } from './fields-tab'
import { CountsLine } from '../report/counts-line'
import type { Schemas } from '@/api/client'
import { changeLanguage } from '@/i18n/language'
import { renderPage, serve } from '@/testing/render'

const DATASET = { id: 'd1', version: 1, num_rows: 300, objectives: [] } as unknown as Schemas['Dataset']
const FIELD = { missing: 0, min_length: 1, mean_length: 2, max_length: 3, examples: [] }
const STATISTICS = {
  fields: [
    { ...FIELD, name: 'turns', types: { array: 300 } },
    { ...FIELD, name: 'odd', types: { string: 200, strange: 100 } },
  ],
  num_turns: { 2: 299, 4: 1 },
  lengths: [],
  labels: [],
  roles: {},
  characters: 0,
}

afterEach(async () => {
  vi.restoreAllMocks()
  await changeLanguage('en')
})

it('names types, and says that there are no examples', async () => {
  await changeLanguage('zh-CN')
  serve({ 'GET /api/v1/datasets/d1/statistics': () => ({ body: STATISTICS }) })
  renderPage(<FieldsTab dataset={DATASET} />)
  expect(await screen.findByText('列表')).toBeTruthy()
  expect(screen.getByText(/文本 \(200\), strange \(100\)/)).toBeTruthy()
  expect(screen.getAllByText('–')).toHaveLength(2)
  expect(screen.getByText('0.3%')).toBeTruthy()
})

it.each([
  ['alpaca', 'rows in the file'],
  [null, 'rows in all'],
])('counts rows of a file only where there is one (format %s)', (format, words) => {
  const counts = { kept: 3, repaired: 0, dropped: 0, truncated: 0 }
  const report = { counts, total_rows: 3, format, detected_because: null } as Schemas['DatasetReport']
  renderPage(<CountsLine report={report} />)
  expect(screen.getByText(words)).toBeTruthy()
})
