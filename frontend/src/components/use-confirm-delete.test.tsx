import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Button } from 'antd'
import { expect, it, vi } from 'vitest'
import { useConfirmDelete } from './use-confirm-delete'
import { ApiError } from '@/api/errors'
import { renderPage } from '@/testing/render'

const TITLE = 'Delete data set “reviews”?'

function Asker(props: { onConfirm: () => Promise<unknown>; typeToConfirm?: boolean }) {
  const confirmDelete = useConfirmDelete()
  const ask = () =>
    confirmDelete({ what: 'data set', name: 'reviews', consequences: 'All rows go.', ...props })
  return <Button onClick={ask}>{'ask'}</Button>
}

async function open(props: Parameters<typeof Asker>[0]) {
  const user = userEvent.setup({ delay: null })
  renderPage(<Asker {...props} />)
  await user.click(screen.getByRole('button', { name: 'ask' }))
  return user
}

it('names the object and the consequences, and begins on Cancel', async () => {
  await open({ onConfirm: vi.fn() })
  expect(await screen.findByRole('dialog', { name: TITLE })).toBeTruthy()
  expect(screen.getByText('All rows go.')).toBeTruthy()
  await waitFor(() => expect(document.activeElement?.textContent).toBe('Cancel'))
})

it('stays open and says why when the server refuses', async () => {
  const refusal = new ApiError({ status: 409, code: 'X', detail: 'A training uses it.' })
  const user = await open({ onConfirm: () => Promise.reject(refusal) })
  await user.click(await screen.findByRole('button', { name: 'Delete' }))
  expect(await screen.findByText('A training uses it.')).toBeTruthy()
  expect(screen.getByRole('dialog', { name: TITLE })).toBeTruthy()
})

it('wants the name typed for what is in use', async () => {
  const onConfirm = vi.fn().mockResolvedValue(undefined)
  const user = await open({ onConfirm, typeToConfirm: true })
  const button = await screen.findByRole<HTMLButtonElement>('button', { name: 'Delete' })
  expect(button.disabled).toBe(true)
  await user.type(screen.getByLabelText('Type the name to confirm'), 'reviews')
  await waitFor(() => expect(button.disabled).toBe(false))
  await user.click(button)
  await waitFor(() => expect(onConfirm).toHaveBeenCalledOnce())
})
