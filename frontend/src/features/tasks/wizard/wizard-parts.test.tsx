/** Data that is divided is trained on and measured with by itself, and the wizard says so. */
import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, it } from 'vitest'
import { beginAnew, button, calls, DATASET, field, heading, open, page, routes, toStep } from './testing-server'

const version = (number: number, current: boolean, splits: Record<string, number>) => ({
  version: number, is_current: current, status: 'ready', num_rows: 50, record_type: 'conversational', splits,
})

beforeEach(() => {
  beginAnew()
  routes['GET /datasets'] = () => page([{ ...DATASET, version: 2 }])
  routes['GET /datasets/d1/versions'] = () =>
    page([version(2, true, { train: 40, validation: 10 }), version(1, false, {})])
})

it('says which part is trained on and which measured with', async () => {
  open('?dataset=d1')
  await toStep('Model & data')
  expect(await screen.findByText(/trained on “train” \(40 rows\), measured with “validation” \(10 rows\)/)).toBeTruthy()
})

it('takes the version that the address names, and asks with it', async () => {
  open('?dataset=d1&version=1')
  await toStep('Model & data')
  expect(await screen.findByText('Version 1 · 50 rows')).toBeTruthy()
  expect(screen.queryByText(/The data is divided/)).toBeNull()
  await waitFor(() => expect(calls('POST /tasks/recommend').at(-1)?.body.dataset_version).toBe(1))
})

it('names the part that is measured with in place of a share that is held out', async () => {
  open('?dataset=d1')
  await toStep('Model & data')
  await screen.findByText(/The data is divided/)
  fireEvent.click(button('Next'))
  await heading('Method')
  expect(await screen.findByText('part “validation” · 10 rows')).toBeTruthy()
  expect(field('hyperparameters-evaluation_fraction')).toBeNull()
  fireEvent.click(button('Choose other rows'))
  await heading('Model & data')
}, 60_000)

it('asks for the share where the version is not divided', async () => {
  open('?dataset=d1&version=1')
  await toStep('Model & data', 'Method')
  expect(field('hyperparameters-evaluation_fraction')).not.toBeNull()
  expect(screen.queryByText('Measured with')).toBeNull()
}, 60_000)
