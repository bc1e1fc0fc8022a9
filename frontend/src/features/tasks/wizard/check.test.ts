/** What the wizard finds wrong, and which step may be opened. */
import { expect, it } from 'vitest'
import { checkKnob, furthestStep, problemsOf, stepOf } from './check'
import { knobNamed, type Knob } from './knobs'
import { emptyValues, type Values } from './values'

const ready = (changed: Partial<Values> = {}): Values => ({
  ...emptyValues(),
  name: 'Support bot',
  output_name: 'support-bot',
  model_id: 'm',
  dataset_id: 'd',
  ...changed,
})

const withKnobs = (knobs: Record<string, unknown>, changed: Partial<Values> = {}) =>
  ready({ ...changed, hyperparameters: { ...emptyValues().hyperparameters, ...knobs } })

const codes = (values: Values) => problemsOf(values).map(({ field, code }) => `${field} ${code}`)

it('finds nothing wrong with defaults, a model and data', () => {
  expect(problemsOf(ready())).toEqual([])
})

it('names every missing field', () => {
  expect(codes(emptyValues())).toEqual([
    'name required',
    'output_name required',
    'model_id required',
    'dataset_id required',
  ])
})

it.each([
  ['support bot', 1],
  ['-bot', 1],
  ['.bot', 1],
  ['客服_1.2-b', 0],
  ['bot', 0],
])('output name %j: %i problems', (output_name, count) => {
  expect(problemsOf(ready({ output_name }))).toHaveLength(count)
})

it('refuses to measure on what is trained', () => {
  expect(codes(ready({ validation_dataset_id: 'd' }))).toEqual([
    'validation_dataset_id same_validation',
  ])
})

it.each([
  ['epochs', 0, 'more_than', { limit: 0 }],
  ['epochs', 101, 'at_most', { limit: 100 }],
  ['epochs', null, 'not_a_number', {}],
  ['learning_rate', Number.NaN, 'not_a_number', {}],
  ['batch_size', 2.5, 'not_whole', {}],
  ['max_length', 15, 'at_least', { limit: 16 }],
  ['lora_dropout', 1, 'less_than', { limit: 1 }],
  ['max_steps', 0, 'at_least', { limit: 1 }],
  ['schedule', 'sine', 'required', {}],
])('%s = %s: %s', (name, value, code, params) => {
  expect(checkKnob(knobNamed(name) as Knob, value)).toEqual({
    field: `hyperparameters.${name}`,
    code,
    params,
  })
})

it.each([
  ['epochs', 0.5],
  ['max_steps', null],
  ['micro_batch_size', 'auto'],
  ['target_modules', ['q_proj']],
  ['warmup_ratio', 0],
  ['packing', false],
])('%s = %s is fine', (name, value) => {
  expect(checkKnob(knobNamed(name) as Knob, value)).toBeNull()
})

it('wants the micro batch within the batch', () => {
  expect(codes(withKnobs({ batch_size: 4, micro_batch_size: 8 }))).toEqual([
    'hyperparameters.micro_batch_size micro_batch_too_large',
  ])
  expect(codes(withKnobs({ batch_size: 4, micro_batch_size: 4 }))).toEqual([])
  expect(codes(withKnobs({ batch_size: 4, micro_batch_size: 8, packing: false }))).toEqual([])
})

it('does not mind a wrong value that the method does not use', () => {
  expect(codes(withKnobs({ lora_rank: 0 }))).toEqual(['hyperparameters.lora_rank at_least'])
  expect(codes(withKnobs({ lora_rank: 0 }, { method: 'full' }))).toEqual([])
})

it('opens steps up to the first problem', () => {
  expect(furthestStep([])).toBe(3)
  expect(furthestStep([{ field: 'hyperparameters.epochs' }])).toBe(2)
  expect(furthestStep([{ field: 'hyperparameters.epochs' }, { field: 'dataset_id' }])).toBe(1)
  expect([stepOf('output_name'), stepOf('model_id'), stepOf('device')]).toEqual([0, 1, 2])
})
