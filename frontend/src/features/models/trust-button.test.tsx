/** Only administrators are offered to allow a model's program, and they are told what it means. */
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'
import { TrustButton } from './trust-button'
import type { Schemas } from '@/api/client'
import { renderPage, serve } from '@/testing/render'

const SHA = 'a'.repeat(64)
const MODEL = {
  id: 'm1',
  name: 'own',
  program: { sha256: SHA, files: ['modeling_own.py'], trusted: false },
} as unknown as Schemas['Model']
const me = (role: string) => ({ 'GET /api/v1/auth/me': () => ({ body: { username: 'a', role } }) })

it('asks an administrator with the files in view', async () => {
  const user = userEvent.setup({ delay: null })
  const asked = serve({ ...me('administrator'), 'POST /api/v1/models/m1/trust': () => ({ body: MODEL }) })
  renderPage(<TrustButton model={MODEL} />)
  await user.click(await screen.findByRole('button', { name: /Allow program/ }))
  await screen.findByText('modeling_own.py')
  await screen.findByText(/will be executed on this machine/)
  expect(asked.some(({ method }) => method === 'POST')).toBe(false)
  await user.click(screen.getByRole('button', { name: /execute this program/ }))
  await vi.waitFor(() => expect(asked.some(({ method }) => method === 'POST')).toBe(true))
  expect(await asked.find(({ method }) => method === 'POST')?.json()).toEqual({ sha256: SHA })
})

it.each([
  ['member', MODEL],
  ['administrator', { ...MODEL, program: null }],
  ['administrator', { ...MODEL, program: { sha256: SHA, files: [], trusted: true } }],
])('offers it to nobody else: %s %#', async (role, model) => {
  const asked = serve(me(role))
  renderPage(<TrustButton model={model} />)
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  expect(screen.queryByRole('button')).toBeNull()
})
