import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it } from 'vitest'
import { isAcceptable, judgePassword } from './password-rules'
import { SetupPage } from './setup-page'
import { renderPage, serve, type Server } from '@/testing/render'

const SETUP = '/api/v1/auth/setup'
const status = { needs_setup: true, insecure_http: false, version: '0' }

let server: Server
beforeEach(() => {
  server = { [`GET ${SETUP}`]: () => ({ body: status }) }
})

async function fill(password: string) {
  const user = userEvent.setup({ delay: null })
  const enter = async (field: HTMLElement, text: string) => {
    await user.click(field)
    await user.paste(text)
  }
  await enter(await screen.findByLabelText('Setup token'), 'token-1')
  await enter(screen.getByLabelText('User name'), 'ada')
  await enter(screen.getByLabelText('Password'), password)
  await user.click(screen.getByRole('button', { name: 'Create administrator' }))
}

describe('the set-up page', () => {
  it('sends nothing while the password breaks a rule', async () => {
    const asked = serve(server)
    renderPage(<SetupPage />, '/setup')
    await fill('short')
    expect(await screen.findByText(/does not meet every rule/)).toBeTruthy()
    expect(asked.filter((request) => request.method === 'POST')).toEqual([])
  })

  it('creates the administrator and goes on to the overview', async () => {
    server[`POST ${SETUP}`] = () => ({ body: { access_token: 'a' } })
    const asked = serve(server)
    const { router } = renderPage(<SetupPage />, '/setup')
    await fill('four calm green lamps')
    await waitFor(() => expect(router.state.location.pathname).toBe('/'))
    const sent = asked.find((request) => request.method === 'POST')
    expect(await sent?.json()).toEqual({
      setup_token: 'token-1',
      username: 'ada',
      password: 'four calm green lamps',
    })
  })

  it('says why the server refused, beside the field that it names, and keeps what was typed', async () => {
    server[`POST ${SETUP}`] = () => ({
      status: 400,
      body: {
        code: 'WeakPassword',
        detail: 'This password is too easy to guess.',
        errors: [{ pointer: '/password', code: 'password_common', message: 'm', params: {} }],
        request_id: 'r',
      },
    })
    serve(server)
    renderPage(<SetupPage />, '/setup')
    await fill('four calm green lamps')
    expect(await screen.findByText('This password is too easy to guess.')).toBeTruthy()
    expect(await screen.findByText(/every list of common passwords/)).toBeTruthy()
    expect((screen.getByLabelText('Setup token') as HTMLInputElement).value).toBe('token-1')
  })

  it('leads to sign-in when there is an administrator', async () => {
    serve({ [`GET ${SETUP}`]: () => ({ body: { ...status, needs_setup: false } }) })
    const { router } = renderPage(<SetupPage />, '/setup')
    await waitFor(() => expect(router.state.location.pathname).toBe('/login'))
  })
})

describe('the rules for a password', () => {
  it.each([
    ['four calm green lamps', 'ada', true],
    ['elevenchars', 'ada', false],
    ['aaaaaaaaaaaa', 'ada', false],
    ['grace.hopper1', 'grace.hopper', false],
    ['grace.hopper likes compilers', 'grace.hopper', true],
    ['密码密码一二三四五六七八', 'ada', true],
  ])('%s for %s: %s', (password, username, good) => {
    expect(isAcceptable(judgePassword(password, username))).toBe(good)
  })
})
