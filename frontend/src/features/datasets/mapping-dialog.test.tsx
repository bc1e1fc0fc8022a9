/** Classes with a column each can be chosen in place of a label, and are sent as such. */
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'
import { MappingDialog } from './mapping-dialog'
import type { Schemas } from '@/api/client'
import { renderPage, serve } from '@/testing/render'

const COLUMNS = ['comment', 'toxic', 'obscene', 'threat']

function show(mapping: object | null) {
  const asked = serve({
    'GET /api/v1/datasets/d1/rows': () => ({ body: { items: [], total: 0, offset: 0 } }),
    'PATCH /api/v1/datasets/d1': () => ({ body: { id: 'd1' } }),
  })
  const dataset = { id: 'd1', version: 1, status: 'needs_mapping', columns: COLUMNS, mapping }
  renderPage(
    <MappingDialog
      dataset={dataset as unknown as Schemas['Dataset']}
      open
      onClose={() => undefined}
    />,
  )
  const sent = async () => {
    await vi.waitFor(() => expect(asked.some(({ method }) => method === 'PATCH')).toBe(true))
    return (await asked.find(({ method }) => method === 'PATCH')?.json()) as {
      mapping: Schemas['Mapping']
    }
  }
  return { user: userEvent.setup({ delay: null }), sent }
}

it('sends the columns of the classes without a label', async () => {
  const { user, sent } = show(null)
  await user.click(await screen.findByRole('radio', { name: /Labelled texts/ }))
  expect(screen.getByRole('combobox', { name: 'Label' })).toBeTruthy()
  const classes = screen.getByRole('combobox', { name: /column for each class/ })
  await user.click(classes)
  await user.click(await screen.findByTitle('toxic'))
  await user.click(await screen.findByTitle('threat'))
  expect(screen.queryByRole('combobox', { name: 'Label' })).toBeNull()
  await user.click(screen.getByRole('button', { name: 'Import with this mapping' }))
  const { mapping } = await sent()
  expect(mapping.record_type).toBe('classification')
  expect(mapping.columns).toEqual({ text: 'comment' })
  expect(mapping.label_columns).toEqual(['toxic', 'threat'])
})

it('shows them again', async () => {
  const columns = { text: 'comment' }
  show({ record_type: 'classification', columns, label_columns: ['toxic', 'threat'] })
  expect(await screen.findByTitle('toxic')).toBeTruthy()
  expect(screen.getByTitle('threat')).toBeTruthy()
  expect(screen.queryByRole('combobox', { name: 'Label' })).toBeNull()
})

it('asks for a label when there are none', async () => {
  const { user } = show(null)
  await user.click(await screen.findByRole('radio', { name: /Labelled texts/ }))
  await user.click(screen.getByRole('button', { name: 'Import with this mapping' }))
  expect(await screen.findByText('Choose the column.')).toBeTruthy()
})
