/** The token view: what is learnt, what ends an answer, what was cut, what is refused. */
import { screen, within } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { TokenLengths } from './token-lengths'
import { runsOf, visible } from './token-runs'
import { TokensTab } from './tokens-tab'
import type { Schemas } from '@/api/client'
import { renderPage, serve } from '@/testing/render'

const DATASET = {
  id: 'd1',
  version: 1,
  sha256: 'x',
  objectives: ['sft', 'seq2seq'],
} as unknown as Schemas['Dataset']
const MODELS = {
  items: [
    { id: 'encoder', name: 'Encoder', objectives: ['classify'] },
    { id: 'm1', name: 'Talker', objectives: ['sft', 'pretrain'] },
  ],
  next_cursor: null,
}
const token = (id: number, text: string, trained = false, terminator = false) => ({
  id,
  text,
  trained,
  terminator,
})
const SAMPLE = {
  part: 'text',
  tokens: [token(1, 'Hi there'), token(2, 'Yes', true), token(3, '<end>', true, true)],
  num_tokens: 3,
  num_trained: 2,
  truncated: true,
  cut: [token(4, 'gone', true)],
  cut_at: 3,
  num_cut: 1,
} as Schemas['RenderedSample']
const ROW = { index: 0, line: 7, samples: [SAMPLE], num_samples: 1, error: null }
const REFUSED = {
  index: 1,
  line: 8,
  samples: [],
  num_samples: 0,
  error: { code: 'bad_dataset', message: 'Roles must alternate.', hint: 'Correct it.', params: {} },
}
const VIEW = {
  items: [ROW, REFUSED],
  total: 2,
  offset: 0,
  objective: 'sft',
  max_length: 1024,
  reads_whole: false,
}

afterEach(() => vi.restoreAllMocks())

it('says why the first rows take some seconds', async () => {
  let answer: (value: { body: unknown }) => void = () => {}
  serve({
    'GET /api/v1/models': () => ({ body: MODELS }),
    'GET /api/v1/datasets/d1/tokens': () =>
      new Promise<{ body: unknown }>((resolve) => {
        answer = resolve
      }),
  })
  renderPage(<TokensTab dataset={DATASET} />)
  expect(await screen.findByText(/tokenizer of the model/, {}, { timeout: 4000 })).toBeTruthy()
  answer({ body: VIEW })
  expect(await screen.findByText('Yes')).toBeTruthy()
  expect(screen.queryByText(/tokenizer of the model/)).toBeNull()
})

it('marks what is learnt, what ends an answer and what was cut', async () => {
  const asked = serve({
    'GET /api/v1/models': () => ({ body: MODELS }),
    'GET /api/v1/datasets/d1/tokens': () => ({ body: VIEW }),
  })
  renderPage(<TokensTab dataset={DATASET} />)
  const yes = await screen.findByText('Yes')
  expect(yes.closest('mark')).toBeTruthy()
  expect(screen.getByText('Hi·there').closest('mark')).toBeNull()
  expect(screen.getByText('<end>').className).toContain('token-end')
  expect(screen.getByText('<end>').title).toContain('Token 3')
  expect(screen.getByText('gone').closest('del')).toBeTruthy()
  expect(screen.getByText(/1 token after token 3 is cut off/)).toBeTruthy()
  expect(screen.getByText(/Roles must alternate. Correct it./)).toBeTruthy()
  const query = new URL(asked.find(({ url }) => url.includes('/tokens'))?.url ?? '').searchParams
  expect(query.get('model_id')).toBe('m1')
  expect(query.get('objective')).toBe('sft')
})

it('says what to do when no model fits', async () => {
  serve({ 'GET /api/v1/models': () => ({ body: { items: [], next_cursor: null } }) })
  renderPage(<TokensTab dataset={DATASET} />)
  await screen.findByText(/no model yet/)
  expect(screen.getByRole('link')).toBeTruthy()
})

it('keeps every token in its place, whatever was cut out', () => {
  const inside = { ...SAMPLE, cut_at: 1 }
  const order = runsOf(inside).flatMap(({ kind, tokens }) => tokens.map(({ id }) => `${kind} ${id}`))
  expect(order).toEqual(['read 1', 'cut 4', 'trained 2', 'trained 3'])
  expect(visible(' a\n\t')).toBe('·a↵\n⇥')
  expect(visible('')).toBe('▯')
})

it('shows figures once they are counted, and says of how many rows', async () => {
  const lengths = {
    status: 'ready',
    progress: 1,
    objective: 'sft',
    counted_rows: 20_000,
    num_rows: 1_000_000,
    mean: 120.4,
    median: 100,
    p95: 300,
    p99: 700,
    max: 5000,
    bins: [{ low: 96, high: 128, count: 19_998 }],
    over: [{ limit: 2048, rows: 3 }],
    refused: 2,
    reasons: [{ reason: 'Roles must alternate.', rows: 2 }],
    error: null,
  }
  const counting = { ...lengths, status: 'counting', progress: 0.5 }
  const answers = [counting, lengths]
  serve({
    'GET /api/v1/models': () => ({ body: MODELS }),
    'GET /api/v1/datasets/d1/lengths': () => ({ body: answers.shift() ?? lengths }),
  })
  renderPage(<TokenLengths dataset={DATASET} />)
  await screen.findByText(/Counting the tokens/)
  await screen.findByText(/even sample: 20,000 of 1,000,000 rows/, undefined, { timeout: 4000 })
  const over = screen.getByText('Rows over 2,048 tokens').closest('tr')
  expect(within(over as HTMLElement).getByText('3')).toBeTruthy()
  expect(screen.getByText(/2 rows can not be trained on/)).toBeTruthy()
})
