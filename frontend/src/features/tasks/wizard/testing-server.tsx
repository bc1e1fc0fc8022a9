/** For tests of the whole wizard: a server made of functions, and words for what is on the page. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { App, ConfigProvider } from 'antd'
import { I18nextProvider } from 'react-i18next'
import { createBrowserRouter, RouterProvider } from 'react-router'
import { expect, vi } from 'vitest'
import { initialKnobs } from './knobs'
import { WizardPage } from './wizard-page'
import { texts } from '@/i18n/language'

export type Handler = (body: Record<string, unknown>, headers: Headers) => [number, unknown]

export const MODEL = {
  id: 'm1',
  name: 'Small',
  status: 'ready',
  methods: ['lora', 'qlora', 'freeze', 'full'],
  objectives: ['sft', 'pretrain', 'classify', 'dpo', 'ipo', 'orpo', 'simpo', 'cpo', 'kto', 'reward'],
  num_parameters: 1e8,
}
export const DATASET = {
  id: 'd1',
  name: 'Orders',
  status: 'ready',
  num_rows: 50,
  record_type: 'conversational',
  objectives: ['sft', 'seq2seq'],
}
export const page = (items: unknown[]) => [200, { items, next_cursor: null }] as [number, unknown]

export const ESTIMATE = {
  memory_bytes: 1e9,
  memory_available_bytes: 8e9,
  memory_parts: [],
  fit: 'fits',
  disk_bytes: 1e6,
  disk_available_bytes: 1e9,
  time_low_s: 60,
  time_high_s: 90,
  total_steps: 10,
  num_tokens: 100,
  num_rows: 50,
  device: 'cpu',
  warnings: [] as unknown[],
  smaller_settings: [] as unknown[],
}

/** A finished run, to be cloned. */
export const TASK = {
  id: 'old', name: 'Old', description: '', intent: 'chat', objective: 'sft', method: 'lora', device: 'auto',
  distributed: { strategy: 'ddp', processes: 1 }, hyperparameters: initialKnobs(),
  model: { id: 'm1', name: 'Small' }, dataset: { id: 'd1', name: 'Orders' },
  validation_dataset: null as { id: string; name: string } | null,
  precision: 'auto', deterministic: false, chat_template: null,
}

/** What the server answers; a test puts its own in. */
export let routes: Record<string, Handler> = {}
let asked: { call: string; body: Record<string, unknown>; headers: Headers }[]

async function serve(input: Request): Promise<Response> {
  const request = input.clone()
  const text = await request.text()
  const call = `${request.method} ${new URL(request.url).pathname.replace('/api/v1', '')}`
  const body = text ? (JSON.parse(text) as Record<string, unknown>) : {}
  asked.push({ call, body, headers: request.headers })
  const [status, answer] = routes[call]?.(body, request.headers) ?? [404, { code: 'NotFound' }]
  const response = new Response(status === 204 ? null : JSON.stringify(answer), { status })
  return Object.defineProperty(response, 'url', { value: request.url })
}

export const calls = (call: string) => asked.filter((each) => each.call === call)

const ELSEWHERE = 'elsewhere'

export function open(search = '') {
  window.history.replaceState(null, '', `/training/new${search}`)
  const router = createBrowserRouter([
    { path: '/training/new', Component: WizardPage },
    { path: '*', Component: () => <span>{ELSEWHERE}</span> },
  ])
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <I18nextProvider i18n={texts}>
        <ConfigProvider theme={{ token: { motion: false } }}>
          <App>
            <RouterProvider router={router} />
          </App>
        </ConfigProvider>
      </I18nextProvider>
    </QueryClientProvider>,
  )
}

export const field = (name: string) => document.getElementById(`field-${name}`) as HTMLInputElement
export const heading = (name: string) => screen.findByRole('heading', { level: 2, name })
export const button = (name: string) => screen.getByRole('button', { name })

/** Through the steps up to the last one named. */
export async function toStep(...names: string[]) {
  await heading('Goal')
  await waitFor(() => expect(field('name').value).not.toBe(''))
  for (const name of names) {
    fireEvent.click(button('Next'))
    await heading(name)
  }
}

export async function toReview() {
  await heading('Goal')
  await waitFor(() => expect(screen.getByText('Ready to start')).toBeTruthy())
  for (const name of ['Model & data', 'Method', 'Everything in one view']) {
    fireEvent.click(button('Next'))
    await heading(name)
  }
  await waitFor(() => expect(button('Start training')).toHaveProperty('disabled', false))
}

/** A server on which there is one model and one data set. */
export function beginAnew(): void {
  vi.stubGlobal('scrollTo', () => undefined)
  Element.prototype.scrollIntoView = () => undefined
  asked = []
  routes = {
    'GET /models': () => page([MODEL]),
    'GET /datasets': () => page([DATASET]),
    'GET /tasks': () => page([]),
    'GET /tasks/drafts': () => [200, []],
    'POST /tasks/drafts': (body) => [201, { id: 'draft1', ...body }],
    'PUT /tasks/drafts/draft1': (body) => [200, { id: 'draft1', ...body }],
    'DELETE /tasks/drafts/draft1': () => [204, null],
    'GET /tasks/compatibility': () => [200, { ok: true, problems: [] }],
    'POST /tasks/recommend': () => [
      200,
      { method: 'lora', hyperparameters: { ...initialKnobs(), epochs: 5 }, reasons: {}, params: {} },
    ],
    'POST /tasks/estimate': () => [200, ESTIMATE],
    'POST /tasks': () => [201, { id: 'task1', name: 'x' }],
  }
  vi.stubGlobal('fetch', serve)
}
