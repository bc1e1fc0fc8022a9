/** What is copied can be pasted into a shell, and the run file says what the form says. */
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import type { Dataset, Model } from './api'
import { apiCallOf, runFileOf } from './export'
import type { Version } from './use-part'
import { bodyOf, emptyValues } from './values'

const values = {
  ...emptyValues(),
  name: "Ann's $HOME `bot` 客服",
  output_name: 'bot',
  model_id: 'm1',
  dataset_id: 'd1',
}

it('survives a shell: quotes, dollars, backticks and other scripts', () => {
  const call = apiCallOf(values, 'https://host.example')
  // printf in place of curl shows what a program would be given.
  const given = execFileSync('sh', ['-c', call.replace(/^curl /, "printf '%s\\n' ")], {
    env: { EASYTUNE_TOKEN: 'secret', PATH: process.env.PATH },
  }).toString()
  expect(given).toContain('https://host.example/api/v1/tasks\n')
  expect(given).toContain('Authorization: Bearer secret\n')
  const body = given.slice(given.indexOf('{'), given.lastIndexOf('}') + 1)
  expect(JSON.parse(body)).toEqual(bodyOf(values))
})

it('names model and data as a run file does', () => {
  const models = [{ id: 'm1', source: 'starter', reference: 'starter' }] as unknown as Model[]
  const datasets = [
    {
      id: 'd1',
      name: 'Orders',
      filename: 'orders.csv',
      mapping: { record_type: 'prompt_completion', columns: { prompt: 'q' }, system_text: null },
      max_dropped_rows: 3,
    },
  ] as unknown as Dataset[]
  const none = { version: undefined, part: null }
  const text = runFileOf({ ...values, method: 'full' }, models, datasets, { train: none, validation: none })
  expect(text).toContain('model: starter\n')
  expect(text).toContain(
    'dataset:\n  path: orders.csv\n  mapping:\n    record_type: prompt_completion\n    columns:\n      prompt: q\n  max_dropped_rows: 3\n',
  )
  expect(text).toContain('  learning_rate: 0.0002\n')
  expect(text).not.toContain('lora_rank')
})

const version = (more: object) =>
  ({ version: 2, sha256: 'a'.repeat(64), record_type: 'conversational', mapping: null, steps: [], options: null, ...more }) as unknown as Version
const orders = [{ id: 'd1', name: 'Orders: new', filename: 'orders.csv' }] as unknown as Dataset[]

it('names the version of rows that are as they were uploaded', () => {
  const train = { version: version({}), part: null }
  const text = runFileOf(values, [], orders, { train, validation: { ...train, part: null } })
  expect(text).toContain(`dataset:\n  path: orders.csv\n  version: 2\n  sha256: ${'a'.repeat(64)}\n`)
  expect(text).not.toContain('validation:')
  expect(text).toContain('evaluation_fraction')
})

it('names the parts of a divided version by the files of their exports', () => {
  const divided = version({ steps: [{ kind: 'split' }] })
  const chosen = { train: { version: divided, part: 'train' }, validation: { version: divided, part: 'validation' } }
  const text = runFileOf(values, [], orders, chosen)
  const file = (part: string) =>
    `  path: Orders_ new-v2-${part}.jsonl\n  split: ${part}\n  record_type: conversational\n  version: 2\n`
  expect(text).toContain(`dataset:\n${file('train')}validation:\n${file('validation')}`)
  expect(text).not.toContain('evaluation_fraction')
})
