/** Models that sort or score: what is sent, what is shown, and what is said when it goes wrong. */
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, it } from 'vitest'
import type { ClassifyRequest, Predictions, Target } from './api'
import { PlaygroundPage } from './playground-page'
import { renderPage, serve, type Server } from '@/testing/render'

const target = (id: string, purpose: Target['purpose'], more: Partial<Target> = {}): Target => ({
  kind: 'tuned',
  id,
  name: `model ${id}`,
  purpose,
  base_id: null,
  base_name: null,
  system_prompt: null,
  ...more,
})

const said = (texts: number, kind: Predictions['kind'] = 'single_label'): Predictions => ({
  kind,
  num_labels: 30,
  seconds: 0.0042,
  predictions: Array.from({ length: texts }, () => ({
    labels:
      kind === 'single_label'
        ? [
            { label: 'positive', score: 0.91 },
            { label: 'negative', score: 0.09 },
          ]
        : [],
    chosen: kind === 'single_label' ? ['positive'] : [],
    value: kind === 'single_label' ? null : -1.25,
    tokens: 7,
    truncated: false,
  })),
})

let sent: ClassifyRequest[]

/** A server that sorts what it is sent; `answer` may refuse. */
function start(targets: Target[], answer?: Server[string], path = '/') {
  serve({
    'GET /api/v1/playground/targets': () => ({ body: targets }),
    'GET /api/v1/playground/status': () => ({
      body: { state: 'ready', device: 'cpu', memory_bytes: 1, loaded: [] },
    }),
    'POST /api/v1/playground/classify': async (request) => {
      const body = (await request.clone().json()) as ClassifyRequest
      sent.push(body)
      const kind = body.conversations?.length ? 'score' : 'single_label'
      return answer?.(request) ?? { body: said(body.texts?.length || body.conversations?.length || 0, kind) }
    },
  })
  renderPage(<PlaygroundPage />, path)
}

beforeEach(() => {
  sent = []
  sessionStorage.clear()
})

it('sends a text with Ctrl+Enter and shows the labels with their percentages', async () => {
  start([target('a', 'classify')])
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Text'), 'I like it{Enter}very much')
  expect(sent).toEqual([])
  await user.keyboard('{Control>}{Enter}{/Control}')
  const results = await screen.findByRole('region', { name: 'Answers' })
  await within(results).findByText('91%')
  expect(sent).toMatchObject([{ task_id: 'a', texts: ['I like it\nvery much'] }])
  expect(within(results).getAllByText('positive')).toHaveLength(2)
  expect(within(results).getByText('28 more labels')).toBeTruthy()
  expect(within(results).getByText('1 text · 4 ms')).toBeTruthy()
  await user.click(screen.getByRole('button', { name: /Clear/ }))
  expect(screen.queryByRole('region', { name: 'Answers' })).toBeNull()
})

it('sends each line as a text of its own, without the empty ones', async () => {
  start([target('a', 'classify')])
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Text'), 'one{Enter}{Enter} two ')
  await user.click(screen.getByRole('switch', { name: 'One text per line' }))
  await user.click(screen.getByRole('button', { name: /Classify/ }))
  await waitFor(() => expect(sent[0]?.texts).toEqual(['one', 'two']))
  await screen.findByText('2 texts · 4 ms')
})

it('refuses too many lines before they are sent', async () => {
  start([target('a', 'classify')])
  const user = userEvent.setup()
  await user.click(await screen.findByRole('switch'))
  await user.click(screen.getByLabelText('Text'))
  await user.paste('x\n'.repeat(257))
  expect(screen.getByRole('alert').textContent).toContain('257 texts; at most 256')
  expect(screen.getByRole('button', { name: /Classify/ }).hasAttribute('disabled')).toBe(true)
})

it('asks two classifiers at once, and never a language model beside one', async () => {
  const targets = [target('a', 'classify'), target('b', 'classify'), target('c', 'chat')]
  start(targets, undefined, '/?left=tuned:a&right=tuned:b')
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Text'), 'fine')
  await user.click(screen.getByRole('button', { name: /Classify/ }))
  await waitFor(() => expect(sent.map(({ task_id }) => task_id).sort()).toEqual(['a', 'b']))
  expect(await screen.findAllByText('91%')).toHaveLength(2)
  await user.click(screen.getByRole('combobox', { name: 'Model 2' }))
  const options = await screen.findAllByRole('option')
  expect(options.some(({ textContent }) => textContent?.includes('model c'))).toBe(false)
})

it('does not show one model’s answers as those of another that is chosen later', async () => {
  start([target('a', 'classify'), target('b', 'classify')], undefined, '/?left=tuned:a&right=none')
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Text'), 'fine')
  await user.click(screen.getByRole('button', { name: /Classify/ }))
  await screen.findByText('91%')
  await user.click(screen.getByRole('combobox', { name: 'Model 1' }))
  await user.click(await screen.findByTitle('model b'))
  await screen.findByText('This column was not asked.')
  expect(screen.queryByText('91%')).toBeNull()
})

it('scores answers to a question, with the system prompt of the data', async () => {
  start([target('r', 'score', { system_prompt: 'Be kind.' })])
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Question'), 'How are you?')
  await user.type(screen.getByLabelText('Answer'), 'Fine.')
  await user.click(screen.getByRole('button', { name: /Score/ }))
  await screen.findByText('-1.25')
  expect(sent[0]).toMatchObject({
    texts: [],
    conversations: [
      [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'How are you?' },
        { role: 'assistant', content: 'Fine.' },
      ],
    ],
  })
})

it('says why there is no answer, in words for whoever asks a model', async () => {
  const params = { code: 'out_of_memory', message: 'Too large.', hint: 'Take a smaller one.' }
  start([target('a', 'classify')], () => ({
    status: 409,
    body: { code: 'NoPrediction', detail: 'The model gave no answer.', params },
  }))
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Text'), 'fine')
  await user.click(screen.getByRole('button', { name: /Classify/ }))
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain('Too large.')
  expect(alert.textContent).toContain('Send less at once')
  expect(screen.getByLabelText<HTMLTextAreaElement>('Text').value).toBe('fine')
})

it('keeps what was written over a reload of the page', async () => {
  sessionStorage.setItem('easytune.playground.texts', JSON.stringify({ text: 'kept' }))
  start([target('a', 'classify')])
  expect((await screen.findByLabelText<HTMLTextAreaElement>('Text')).value).toBe('kept')
})
