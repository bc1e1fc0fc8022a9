/** Renders a part of the app in what every page stands in, with a server made of functions. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import { App, ConfigProvider } from 'antd'
import type { ReactElement } from 'react'
import { I18nextProvider } from 'react-i18next'
import { createMemoryRouter, RouterProvider } from 'react-router'
import { vi } from 'vitest'
import { texts } from '@/i18n/language'

interface Answer {
  status?: number
  body?: unknown
}

/** `GET /api/v1/system` → answer. What is not listed is answered 404. */
export type Server = Record<string, (request: Request) => Answer | Promise<Answer>>

/** Answers fetches from `server`; returns what was asked, in order. */
export function serve(server: Server): Request[] {
  const asked: Request[] = []
  vi.stubGlobal('fetch', async (input: Request | string, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(new URL(input, location.href), init)
    asked.push(request.clone())
    const handler = server[`${request.method} ${new URL(request.url).pathname}`]
    const { status = 200, body } = (await handler?.(request)) ?? { status: 404, body: {} }
    const response = new Response(status === 204 ? null : JSON.stringify(body), { status })
    return Object.defineProperty(response, 'url', { value: request.url })
  })
  return asked
}

/** Renders `element` at `path`; other addresses show themselves as text. */
export function renderPage(element: ReactElement, path = '/') {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const router = createMemoryRouter(
    [
      { path: path.split('?')[0] ?? '/', element },
      { path: '*', element: <span data-testid="elsewhere" /> },
    ],
    { initialEntries: [path] },
  )
  const view = render(
    <QueryClientProvider client={client}>
      <I18nextProvider i18n={texts}>
        <ConfigProvider theme={{ token: { motion: false } }}>
          <App>
            <RouterProvider router={router} />
          </App>
        </ConfigProvider>
      </I18nextProvider>
    </QueryClientProvider>,
  )
  return { ...view, router, client }
}
