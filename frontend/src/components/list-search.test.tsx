/** The search field: searches by itself, follows the address, never eats what is typed. */
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { MemoryRouter, useNavigate } from 'react-router'
import { expect, it } from 'vitest'
import { ListSearch } from './list-search'
import { useSearchState } from './use-search-state'

function List() {
  const [{ q }, set] = useSearchState({ q: '' })
  const navigate = useNavigate()
  return (
    <>
      <ListSearch q={q} label="Search" onSearch={(text) => set({ q: text })} />
      <output>{q}</output>
      <button onClick={() => void navigate('?q=elsewhere')}>go</button>
    </>
  )
}

const field = () => screen.getByLabelText<HTMLInputElement>('Search')

it('searches when the typing pauses, and keeps the focus', async () => {
  const user = userEvent.setup()
  render(<List />, { wrapper: MemoryRouter })
  await user.type(field(), 'notes')
  expect(await screen.findByText('notes')).toBeTruthy()
  expect(document.activeElement).toBe(field())
  await user.type(field(), ' 1')
  expect(await screen.findByText('notes 1')).toBeTruthy()
  expect(field().value).toBe('notes 1')
})

it('shows what another address asks for', async () => {
  const user = userEvent.setup()
  render(<List />, { wrapper: MemoryRouter })
  await user.type(field(), 'mine{Enter}')
  expect(screen.getByText('mine')).toBeTruthy()
  await user.click(screen.getByText('go'))
  expect(field().value).toBe('elsewhere')
})
