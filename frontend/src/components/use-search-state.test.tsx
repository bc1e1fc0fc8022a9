import { fireEvent, screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import { useSearchState } from './use-search-state'
import { renderPage } from '@/testing/render'

function Shown() {
  const [state, set] = useSearchState({ q: '', page: '1' })
  return (
    <>
      <output>{`${state.q}|${state.page}`}</output>
      <button onClick={() => set({ q: 'new', page: '2' })}>{'change'}</button>
      <button onClick={() => set({ q: '', page: '1' })}>{'reset'}</button>
    </>
  )
}

it('reads the address and leaves defaults and strangers alone', () => {
  const { router } = renderPage(<Shown />, '/x?q=abc&other=1')
  expect(screen.getByRole('status').textContent).toBe('abc|1')
  fireEvent.click(screen.getByText('change'))
  expect(router.state.location.search).toBe('?q=new&other=1&page=2')
  fireEvent.click(screen.getByText('reset'))
  expect(router.state.location.search).toBe('?other=1')
  expect(screen.getByRole('status').textContent).toBe('|1')
})
