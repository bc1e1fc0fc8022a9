/** What is recommended stands beside what was chosen: nothing is overwritten, and there is a way back. */
import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, it } from 'vitest'
import { initialKnobs } from './knobs'
import { beginAnew, calls, DATASET, field, open, page, routes, TASK, toStep } from './testing-server'

beforeEach(beginAnew)

/** Recommends full tuning where the method is left open. */
function recommends(knobs: Record<string, unknown>) {
  routes['POST /tasks/recommend'] = ({ method }) => [
    200,
    { method: method ?? 'full', hyperparameters: { ...initialKnobs(), ...knobs }, reasons: {}, params: {} },
  ]
}

const card = (name: RegExp) => screen.getByRole<HTMLInputElement>('radio', { name })

it('clones a run as it was trained', async () => {
  recommends({ learning_rate: 5e-4, epochs: 5 })
  routes['GET /tasks/old'] = () => [200, { ...TASK, hyperparameters: { ...initialKnobs(), epochs: 7 } }]
  open('?clone=old')
  await toStep('Model & data', 'Method')
  await screen.findByText(/recommended: 5e-4/)
  expect(Number(field('hyperparameters-learning_rate').value)).toBe(initialKnobs().learning_rate)
  expect(field('hyperparameters-epochs').value).toBe('7')
  expect(card(/^LoRA/).checked).toBe(true)
  expect(screen.getByRole('button', { name: /^Reset Learning rate to/ })).toBeTruthy()
}, 60_000)

it('keeps telling which method is recommended, and leads back to it', async () => {
  recommends({})
  open()
  await toStep('Model & data', 'Method')
  await waitFor(() => expect(card(/^Full tuning Recommended/).checked).toBe(true))
  expect(screen.queryByRole('button', { name: /Use the recommended method/ })).toBeNull()
  fireEvent.click(card(/^LoRA/))
  await waitFor(() => expect(calls('POST /tasks/recommend').at(-1)?.body.method).toBe('lora'))
  expect(card(/^Full tuning Recommended/).checked).toBe(false)
  fireEvent.click(screen.getByRole('button', { name: /Use the recommended method: Full tuning/ }))
  await waitFor(() => expect(card(/^Full tuning Recommended/).checked).toBe(true))
  expect(screen.queryByRole('button', { name: /Use the recommended method/ })).toBeNull()
}, 60_000)

it('asks with the validation set, and then holds nothing out', async () => {
  recommends({})
  routes['GET /datasets'] = () => page([DATASET, { ...DATASET, id: 'd2', name: 'Held out' }])
  routes['GET /tasks/old'] = () => [200, { ...TASK, validation_dataset: { id: 'd2', name: 'Held out' } }]
  open('?clone=old')
  await toStep('Model & data', 'Method')
  expect(field('hyperparameters-epochs')).toBeTruthy()
  expect(field('hyperparameters-evaluation_fraction')).toBeNull()
  await waitFor(() => expect(calls('POST /tasks/recommend').at(-1)?.body.validation_dataset_id).toBe('d2'))
}, 60_000)

it('asks for what must be there, and for no template where none is used', async () => {
  routes['GET /datasets'] = () => page([{ ...DATASET, objectives: ['pretrain'] }])
  open()
  await toStep('Model & data', 'Method')
  fireEvent.click(await screen.findByRole('button', { name: /advanced settings/ }))
  expect(field('precision')).toBeTruthy()
  expect(field('chat_template')).toBeNull()
  const required = (name: string) => field(`hyperparameters-${name}`).getAttribute('aria-required')
  expect([required('epochs'), required('max_steps'), required('micro_batch_size')]).toEqual(['true', 'false', 'false'])
}, 60_000)
