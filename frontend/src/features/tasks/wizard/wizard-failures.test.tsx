/** Questions without an answer are shown and can be asked again; refusals are said. */
import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, it, vi } from 'vitest'
import {
  beginAnew, button, calls, DATASET, field, heading, MODEL, open, page, routes, TASK, toReview, toStep,
} from './testing-server'

beforeEach(beginAnew)

const fails = () => [500, { code: 'InternalError', detail: 'It broke.' }] as [number, unknown]

it.each([
  ['GET /models', () => page([MODEL])],
  ['GET /datasets', () => page([DATASET])],
  ['GET /tasks/compatibility', () => [200, { ok: true, problems: [] }] as [number, unknown]],
])('asks %s again on demand', async (call, answer) => {
  routes[call] = fails
  open('?model=m1&dataset=d1')
  await toStep('Model & data')
  await screen.findByText('It broke.')
  routes[call] = answer
  fireEvent.click(button('Try again'))
  await waitFor(() => expect(screen.queryByText('It broke.')).toBeNull())
  await screen.findByText('Model and data fit each other.')
}, 60_000)

it('says why a draft was refused', async () => {
  routes['POST /tasks/drafts'] = () => [429, { code: 'TooMany', detail: 'Too many drafts.' }]
  open()
  await heading('Goal')
  fireEvent.change(field('name'), { target: { value: 'Bot' } })
  await screen.findByText('Draft not saved: Too many drafts.')
}, 60_000)

it('shows the validation set of a cloned run also when it is gone', async () => {
  routes['GET /tasks/old'] = () => [200, { ...TASK, validation_dataset: { id: 'gone', name: 'Held out' } }]
  open('?clone=old')
  await toStep('Model & data')
  await waitFor(() => expect(field('validation_dataset_id')).toBeTruthy())
  await screen.findByText('No longer there')
}, 60_000)

it('says when the browser does not allow copying', async () => {
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('navigator', {
    ...navigator,
    clipboard: { writeText: () => Promise.reject(new Error('NotAllowed')) },
  })
  open()
  await toReview()
  fireEvent.click(button('Copy as API call'))
  await screen.findByText('The browser does not allow copying here.')
}, 60_000)

it('lets a run bring the chat template that its model lacks', async () => {
  const problem = { code: 'no_chat_template', message: 'No template.', params: { name: 'Small' }, blocking: true }
  routes['GET /tasks/compatibility'] = () => [200, { ok: false, problems: [problem] }]
  open()
  await toStep('Model & data')
  await screen.findByText('Model and data do not fit each other yet.')
  fireEvent.click(button('Next'))
  await heading('Method')
  fireEvent.click(button('Next'))
  await waitFor(() => expect(document.activeElement).toBe(field('chat_template')))
  fireEvent.change(field('chat_template'), { target: { value: '{{ messages }}' } })
  await waitFor(() => expect(screen.getByText('Ready to start')).toBeTruthy())
  fireEvent.click(button('Next'))
  await heading('Everything in one view')
  await waitFor(() => expect(button('Start training')).toHaveProperty('disabled', false))
  fireEvent.click(button('Start training'))
  await screen.findByText('elsewhere')
  expect(calls('POST /tasks')[0]?.body).toMatchObject({
    chat_template: '{{ messages }}',
    precision: 'auto',
    deterministic: false,
  })
}, 60_000)

it.each([
  [4, true],
  [1, false],
])('offers several processes on %d cores: %s', async (cores, offered) => {
  routes['GET /system'] = () => [200, { gpus: [], cpu: { name: 'CPU', cores, utilization: 0 } }]
  open()
  await toStep('Model & data', 'Method')
  await waitFor(() => expect(calls('GET /system')).toHaveLength(1))
  fireEvent.click(await screen.findByRole('button', { name: /advanced settings/ }))
  await waitFor(() => expect(Boolean(field('distributed-processes'))).toBe(offered))
}, 60_000)
