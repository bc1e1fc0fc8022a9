/** The wizard against a server made of functions: four steps, one task, nothing lost. */
import { act, fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, it } from 'vitest'
import { initialKnobs } from './knobs'
import { beginAnew, button, calls, ESTIMATE, field, heading, open, routes, toReview } from './testing-server'

beforeEach(beginAnew)

it('makes one task of two clicks, from what there is to choose from', async () => {
  open()
  await toReview()
  const start = button('Start training')
  act(() => {
    start.click()
    start.click()
  })
  await screen.findByText('elsewhere')
  expect(window.location.pathname).toBe('/training/task1')
  expect(calls('POST /tasks')).toHaveLength(1)
  expect(calls('POST /tasks')[0]?.body).toMatchObject({
    model_id: 'm1',
    dataset_id: 'd1',
    method: 'lora',
    hyperparameters: { epochs: 5 },
  })
  expect(calls('DELETE /tasks/drafts/draft1')).toHaveLength(1)
}, 60_000)

it('sends a lost request again with the same key', async () => {
  routes['POST /tasks'] = () => [503, { code: 'Unavailable', detail: 'Later.' }]
  open()
  await toReview()
  fireEvent.click(button('Start training'))
  await waitFor(() => expect(calls('POST /tasks')).toHaveLength(1))
  routes['POST /tasks'] = () => [201, { id: 'task1', name: 'x' }]
  await waitFor(() => expect(button('Start training')).toHaveProperty('disabled', false))
  fireEvent.click(button('Start training'))
  await screen.findByText('elsewhere')
  const [first, second] = calls('POST /tasks').map(({ headers }) => headers.get('Idempotency-Key'))
  expect(first).toMatch(/^[0-9a-f]{32}$/)
  expect(second).toBe(first)
}, 60_000)

it('goes to the field that the server refuses', async () => {
  const errors = [
    { pointer: '/output_name', code: 'output_name_taken', message: 'Taken.', params: { name: 'x' } },
  ]
  routes['POST /tasks'] = () => [400, { code: 'TaskRefused', detail: 'No.', errors }]
  open()
  await toReview()
  fireEvent.click(button('Start training'))
  await heading('Goal')
  await waitFor(() => expect(document.activeElement).toBe(field('output_name')))
  expect(field('output_name').getAttribute('aria-invalid')).toBe('true')
  expect(document.getElementById('field-output_name-error')?.textContent).toContain('x')
  fireEvent.change(field('output_name'), { target: { value: 'other' } })
  expect(document.getElementById('field-output_name-error')).toBeNull()
}, 60_000)

it('stays on a step with something wrong, and shows where', async () => {
  open()
  await heading('Goal')
  fireEvent.change(field('name'), { target: { value: ' ' } })
  fireEvent.click(button('Next'))
  await waitFor(() => expect(document.activeElement).toBe(field('name')))
  expect(document.getElementById('field-name-error')?.textContent).toBe('This is needed.')
  await heading('Goal')
}, 60_000)

it('comes back as it was from a draft, at the step it was left', async () => {
  const values = { name: 'Kept', output_name: 'kept', model_id: 'm1', dataset_id: 'd1' }
  const hyperparameters = { ...initialKnobs(), epochs: 7 }
  routes['GET /tasks/drafts/old'] = () => [
    200,
    { id: 'old', step: 2, updated_at: '2026-01-01T00:00:00Z', values: { values: { ...values, hyperparameters } } },
  ]
  open('?draft=old')
  await heading('Method')
  expect(field('hyperparameters-epochs').value).toBe('7')
  expect(calls('POST /tasks/drafts')).toHaveLength(0)
}, 60_000)

const TOO_LARGE = {
  ...ESTIMATE,
  memory_bytes: 9e9,
  fit: 'will_not_fit',
  warnings: [{ code: 'memory_will_not_fit', message: 'No.', params: {}, blocking: false }],
  smaller_settings: [
    {
      pointer: '/hyperparameters/max_length',
      code: 'memory_setting_that_fits',
      message: 'With 256.',
      params: { value: 256, needed_bytes: 4e9 },
    },
  ],
}

async function toReviewThatDoesNotFit() {
  routes['POST /tasks/estimate'] = ({ hyperparameters }) => [
    200,
    (hyperparameters as { max_length: number }).max_length > 256 ? TOO_LARGE : ESTIMATE,
  ]
  open()
  await heading('Goal')
  await waitFor(() => expect(screen.getByText('1 thing left')).toBeTruthy())
  for (const name of ['Model & data', 'Method', 'Everything in one view']) {
    fireEvent.click(button('Next'))
    await heading(name)
  }
  await screen.findByText(/^Will not fit/)
}

it('does not start what will not fit into memory, until the risk is accepted', async () => {
  await toReviewThatDoesNotFit()
  const start = button('Start training')
  expect(start).toHaveProperty('disabled', true)
  const reason = document.getElementById(start.getAttribute('aria-describedby') ?? '')
  expect(reason?.textContent).toContain('will not fit into memory')
  fireEvent.click(screen.getByRole('checkbox', { name: /Start anyway/ }))
  await waitFor(() => expect(button('Start training')).toHaveProperty('disabled', false))
  fireEvent.click(button('Start training'))
  await screen.findByText('elsewhere')
  expect(calls('POST /tasks')[0]?.body.accept_memory_risk).toBe(true)
}, 60_000)

it('takes the smaller setting that fits at one click', async () => {
  await toReviewThatDoesNotFit()
  fireEvent.click(button('Use the smaller setting'))
  await waitFor(() => expect(button('Start training')).toHaveProperty('disabled', false))
  expect(screen.queryByText(/^Will not fit/)).toBeNull()
  fireEvent.click(button('Start training'))
  await screen.findByText('elsewhere')
  expect(calls('POST /tasks')[0]?.body).toMatchObject({
    accept_memory_risk: false,
    hyperparameters: { max_length: 256 },
  })
}, 60_000)
