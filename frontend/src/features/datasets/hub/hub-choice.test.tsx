/** The choices that the hub offers can be made; what broke off can be fetched again. */
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'
import { HubChoice } from './hub-choice'
import type { Schemas } from '@/api/client'
import { renderPage, serve } from '@/testing/render'

const SOURCE = {
  kind: 'huggingface',
  reference: 'some/talks',
  revision: 'v1',
  choices: [
    { name: 'long', splits: ['train', 'test'] },
    { name: 'short', splits: ['all'] },
  ],
} as unknown as Schemas['DatasetSource']
const dataset = (code: string) => ({ id: 'd1', error: { code } }) as unknown as Schemas['Dataset']
const server = () => serve({ 'PATCH /api/v1/datasets/d1': () => ({ body: { id: 'd1' } }) })

it('sends the subset with a split that it has', async () => {
  const user = userEvent.setup({ delay: null })
  const asked = server()
  renderPage(<HubChoice dataset={dataset('choose_subset')} source={SOURCE} />)
  await user.click(screen.getByRole('combobox', { name: 'Subset' }))
  await user.click(await screen.findByTitle('short'))
  await user.click(screen.getByRole('button', { name: /Fetch this part/ }))
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  expect(await asked[0]?.json()).toEqual({ subset: 'short', split: 'all' })
})

it('fetches the same again when something else went wrong', async () => {
  const user = userEvent.setup({ delay: null })
  const asked = server()
  renderPage(<HubChoice dataset={dataset('hub_unreachable')} source={SOURCE} />)
  expect(screen.queryByRole('combobox')).toBeNull()
  await user.click(screen.getByRole('button', { name: /Fetch again/ }))
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  expect(await asked[0]?.json()).toEqual({ revision: 'v1' })
})
