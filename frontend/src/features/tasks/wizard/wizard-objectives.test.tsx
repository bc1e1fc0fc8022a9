/** What is learnt follows from the rows and the model, and can be chosen among what fits. */
import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, it } from 'vitest'
import { beginAnew, button, calls, DATASET, field, heading, MODEL, open, page, routes } from './testing-server'

beforeEach(beginAnew)

const PAIRS = {
  ...DATASET,
  record_type: 'preference',
  objectives: ['dpo', 'ipo', 'orpo', 'simpo', 'cpo', 'reward'],
}
const card = (name: RegExp) => screen.getByRole<HTMLInputElement>('radio', { name })

it('learns preferences from pairs without being told, and offers the other ways', async () => {
  routes['GET /datasets'] = () => page([PAIRS])
  open()
  await heading('Goal')
  await waitFor(() => expect(screen.getByText('Ready to start')).toBeTruthy())
  fireEvent.click(button('Next'))
  await heading('Model & data')
  expect(card(/Learn from preferred and rejected answers/).checked).toBe(true)
  expect(card(/Judge answers/).disabled).toBe(false)
  expect(card(/Teach answers/).disabled).toBe(true)
  expect(screen.getByText('Needs questions with answers.')).toBeTruthy()
  expect(screen.queryByRole('radio', { name: /SimPO/ })).toBeNull()
  fireEvent.click(button('Other ways to learn preferences'))
  fireEvent.click(card(/SimPO/))
  fireEvent.click(button('Next'))
  await heading('Method')
  expect(field('hyperparameters-beta')).toBeTruthy()
  fireEvent.click(button('Next'))
  await heading('Everything in one view')
  await waitFor(() => expect(button('Start training')).toHaveProperty('disabled', false))
  fireEvent.click(button('Start training'))
  await screen.findByText('elsewhere')
  expect(calls('POST /tasks')[0]?.body).toMatchObject({ objective: 'simpo', dataset_id: 'd1' })
}, 60_000)

it('says when the model, not the data, is in the way', async () => {
  routes['GET /models'] = () => page([{ ...MODEL, objectives: ['classify', 'reward'] }])
  routes['GET /datasets'] = () => page([PAIRS])
  open()
  await heading('Goal')
  fireEvent.click(button('Next'))
  await heading('Model & data')
  await waitFor(() => expect(card(/Judge answers/).checked).toBe(true))
  expect(card(/preferred and rejected/).disabled).toBe(true)
  expect(screen.getByText('This model can not learn it.')).toBeTruthy()
}, 60_000)
