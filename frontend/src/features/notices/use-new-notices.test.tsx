import { screen, waitFor } from '@testing-library/react'
import { expect, it } from 'vitest'
import type { Notice } from './api'
import { useNewNotices } from './use-new-notices'
import { renderPage, serve } from '@/testing/render'

const notice = (id: string): Notice => ({
  id,
  at: '2026-01-01T00:00:00Z',
  kind: 'task_completed',
  level: 'success',
  params: {},
  subject: { type: 'task', id: `task-${id}`, name: `run ${id}` },
  read_at: null,
})

function Watch() {
  useNewNotices(false)
  return null
}

/** Opens `path` while notice 1 is there already; then notice 2 comes. */
async function comes(path: string) {
  let items = [notice('1')]
  const asked = serve({
    'GET /api/v1/notices': () => ({ body: { items, next_cursor: null, unread: items.length } }),
    'POST /api/v1/notices/read': () => ({ body: { unread: 0 } }),
  })
  const { client } = renderPage(<Watch />, path)
  await waitFor(() => expect(client.getQueryData(['notices', 'newest'])).toBeTruthy())
  items = [notice('2'), notice('1')]
  await client.invalidateQueries({ queryKey: ['notices', 'newest'] })
  return asked
}

it('tells of what is new, not of what was there', async () => {
  await comes('/data')
  expect(await screen.findByText('Training completed: run 2')).toBeTruthy()
  expect(screen.queryByText('Training completed: run 1')).toBeNull()
  screen.getByRole('button', { name: 'Open' }).click()
  expect(await screen.findByTestId('elsewhere')).toBeTruthy()
})

it('marks as read what is on the screen, without words', async () => {
  const asked = await comes('/training/task-2')
  await waitFor(() => expect(asked.some(({ method }) => method === 'POST')).toBe(true))
  const sent = asked.find(({ method }) => method === 'POST')
  expect(await sent?.json()).toEqual({ all: false, ids: ['2'] })
  expect(screen.queryByText('Training completed: run 2')).toBeNull()
})
