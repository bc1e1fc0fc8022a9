/** What is copied can be pasted into a shell, and the run file says what the form says. */
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import type { Dataset, Model } from './api'
import { apiCallOf, runFileOf } from './export'
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
  const text = runFileOf({ ...values, method: 'full' }, models, datasets)
  expect(text).toContain('model: starter\n')
  expect(text).toContain(
    'dataset:\n  path: orders.csv\n  mapping:\n    record_type: prompt_completion\n    columns:\n      prompt: q\n  max_dropped_rows: 3\n',
  )
  expect(text).toContain('  learning_rate: 0.0002\n')
  expect(text).not.toContain('lora_rank')
})
