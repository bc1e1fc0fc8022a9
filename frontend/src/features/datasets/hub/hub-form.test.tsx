/** What is typed goes to the server as it means it; what is wrong is said beside its field. */
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'
import { HubButton } from './hub-button'
import { renderPage, serve } from '@/testing/render'

async function open() {
  const user = userEvent.setup({ delay: null })
  const view = renderPage(<HubButton />)
  await user.click(screen.getByRole('button', { name: /From a hub/ }))
  return { user, ...view }
}

async function fill(user: ReturnType<typeof userEvent.setup>, label: RegExp, text: string) {
  await user.click(await screen.findByLabelText(label))
  await user.paste(text)
}

it('sends the id of an address, and nothing for what is left empty', async () => {
  const asked = serve({ 'POST /api/v1/datasets': () => ({ status: 202, body: { id: 'd1' } }) })
  const { user, router } = await open()
  await user.click(await screen.findByLabelText('ModelScope'))
  await fill(user, /Id of the data set/, 'https://hub.example/datasets/some/talks/viewer')
  await fill(user, /Split/, ' test ')
  await user.click(screen.getByRole('button', { name: 'Fetch' }))
  await vi.waitFor(() => expect(router.state.location.pathname).toMatch(/d1$/))
  expect(await asked.find(({ method }) => method === 'POST')?.json()).toEqual({
    source: 'modelscope',
    reference: 'some/talks',
    subset: null,
    split: 'test',
    revision: null,
  })
})

it('does not send what is no id', async () => {
  const asked = serve({})
  const { user } = await open()
  await fill(user, /Id of the data set/, '../talks')
  await user.click(screen.getByRole('button', { name: 'Fetch' }))
  await screen.findByText('An id has the form owner/name.')
  expect(asked).toEqual([])
})

it('says why the server refuses', async () => {
  serve({
    'POST /api/v1/datasets': () => ({
      status: 400,
      body: { code: 'DatasetHubOffline', detail: 'This installation works without a network.' },
    }),
  })
  const { user } = await open()
  await fill(user, /Id of the data set/, 'some/talks')
  await user.click(screen.getByRole('button', { name: 'Fetch' }))
  expect((await screen.findByRole('alert')).textContent).toMatch(/works without a network/)
})
