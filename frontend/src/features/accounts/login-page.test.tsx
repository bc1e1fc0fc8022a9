import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { localTarget } from './local-target'
import { LoginPage } from './login-page'
import { renderPage, serve } from '@/testing/render'

const refused = { status: 401, body: { code: 'Unauthenticated', detail: 'Sign in first.' } }

async function signIn(password: string) {
  const user = userEvent.setup({ delay: null })
  const enter = async (field: HTMLElement, text: string) => {
    await user.click(field)
    await user.paste(text)
  }
  await enter(await screen.findByLabelText('User name'), 'ada')
  await enter(screen.getByLabelText('Password'), password)
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
}

describe('the sign-in page', () => {
  it('returns to the page that was asked for', async () => {
    let signedIn = false
    serve({
      'GET /api/v1/auth/me': () =>
        signedIn ? { body: { id: '1', username: 'ada', role: 'member' } } : refused,
      'GET /api/v1/auth/setup': () => ({ body: { needs_setup: false } }),
      'POST /api/v1/auth/login': () => {
        signedIn = true
        return { body: { access_token: 'a' } }
      },
    })
    const { router } = renderPage(<LoginPage />, '/login?next=%2Fdata%3Fstatus%3Dready')
    await signIn('right')
    await waitFor(() => expect(router.state.location.pathname).toBe('/data'))
    expect(router.state.location.search).toBe('?status=ready')
  })

  it('stays and says so when the password is wrong', async () => {
    serve({
      'GET /api/v1/auth/me': () => refused,
      'GET /api/v1/auth/setup': () => ({ body: { needs_setup: false } }),
      'POST /api/v1/auth/login': () => ({
        status: 401,
        body: { code: 'BadCredentials', detail: 'The name or the password is not right.' },
      }),
    })
    const { router } = renderPage(<LoginPage />, '/login')
    await signIn('wrong')
    expect(await screen.findByText('The name or the password is not right.')).toBeTruthy()
    expect(router.state.location.pathname).toBe('/login')
  })
})

describe('where sign-in leads', () => {
  it.each([
    [null, '/'],
    ['/training/7?tab=logs#L3', '/training/7?tab=logs#L3'],
    ['//evil.example/x', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
  ])('%s leads to %s', (next, target) => {
    expect(localTarget(next)).toBe(target)
  })
})
