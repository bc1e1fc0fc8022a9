/** The engine's schema becomes fields, one each, and every field speaks every language. */
import { describe, expect, it } from 'vitest'
import { initialKnobs, isEmpty, KNOBS, knobNamed, knobsOf, readKnobs } from './knobs'
import { languageCodes, languages } from '@/i18n/languages'

const knob = (name: string) => {
  const found = knobNamed(name)
  if (!found) throw new Error(`no ${name}`)
  return found
}

it('reads a range with an open end', () => {
  expect(knob('learning_rate')).toMatchObject({
    kind: 'number',
    group: 'basic',
    initial: 0.0002,
    moreThan: 0,
    atMost: 1,
  })
  expect(knob('lora_dropout')).toMatchObject({ atLeast: 0, lessThan: 1, methods: ['lora', 'qlora'] })
})

it('reads what an empty field stands for', () => {
  expect(knob('max_steps')).toMatchObject({ kind: 'integer', empty: null, atLeast: 1, unit: 'steps' })
  expect(knob('micro_batch_size')).toMatchObject({ kind: 'integer', empty: 'auto', initial: 'auto' })
  expect(knob('target_modules')).toMatchObject({ kind: 'names', empty: 'all-linear' })
  expect('empty' in knob('epochs')).toBe(false)
  expect(isEmpty(knob('micro_batch_size'), 'auto')).toBe(true)
  expect(isEmpty(knob('micro_batch_size'), 4)).toBe(false)
})

it('follows a reference to a closed list', () => {
  expect(knob('schedule')).toMatchObject({ kind: 'choice', choices: ['constant', 'linear', 'cosine', 'wsd'] })
})

const shown = (method: string, objective = 'sft', knobs: Record<string, unknown> = {}) =>
  knobsOf({ method, objective, hyperparameters: { ...initialKnobs(), ...knobs } }).map(({ name }) => name)

it('shows the knobs of a method only', () => {
  expect(shown('full')).toContain('epochs')
  expect(shown('full')).not.toContain('lora_rank')
  expect(shown('lora')).toContain('lora_rank')
  expect(shown('lora')).not.toContain('quantization')
  expect(shown('qlora')).toEqual(expect.arrayContaining(['lora_rank', 'quantization']))
  expect(shown('freeze')).toContain('trainable_layers')
})

it('shows the knobs of an objective only', () => {
  expect(shown('lora')).not.toContain('beta')
  expect(shown('lora', 'dpo')).toContain('beta')
  expect(shown('lora', 'dpo')).not.toContain('simpo_gamma_ratio')
  expect(shown('lora', 'simpo')).toContain('simpo_gamma_ratio')
  expect(shown('full', 'classify')).toContain('label_kind')
  expect(shown('full', 'seq2seq')).toContain('max_target_length')
})

it('shows what belongs to a variant when that is chosen', () => {
  expect(shown('lora')).not.toContain('lora_plus_ratio')
  expect(shown('lora', 'sft', { lora_variant: 'lora_plus' })).toContain('lora_plus_ratio')
  expect(shown('full', 'sft', { lora_variant: 'lora_plus' })).not.toContain('lora_plus_ratio')
  expect(shown('full', 'sft', { schedule: 'wsd' })).toContain('decay_ratio')
})

it('hides what does nothing beside another choice', () => {
  const names = (given: object) =>
    knobsOf({ method: 'full', objective: 'sft', hyperparameters: initialKnobs(), ...given }).map(({ name }) => name)
  expect(names({ validation_dataset_id: null })).toContain('evaluation_fraction')
  expect(names({ validation_dataset_id: 'v' })).not.toContain('evaluation_fraction')
  const labels = (label_kind: string, objective: string) =>
    names({ objective, hyperparameters: { ...initialKnobs(), label_kind } })
  expect(labels('regression', 'classify')).not.toContain('label_smoothing')
  expect(labels('auto', 'classify')).toContain('label_smoothing')
  expect(labels('regression', 'sft')).toContain('label_smoothing')
  const unpacked = (objective: string) =>
    names({ objective, hyperparameters: { ...initialKnobs(), packing: false } })
  expect(unpacked('sft')).not.toContain('micro_batch_size')
  expect(unpacked('classify')).toContain('micro_batch_size')
})

it('shows a knob that it has never heard of', () => {
  const [found] = readKnobs({
    properties: { z_loss: { type: 'number', default: 0, description: 'New.' } },
  })
  expect(found).toMatchObject({ name: 'z_loss', kind: 'number', group: 'advanced', description: 'New.' })
})

it('refuses a type that no field can show', () => {
  expect(() => readKnobs({ properties: { odd: { type: 'object' } } })).toThrow('odd')
})

it('has a default for every knob', () => {
  expect(Object.keys(initialKnobs())).toHaveLength(KNOBS.length)
  expect(Object.values(initialKnobs())).not.toContain(undefined)
})

describe.each(languageCodes)('%s', (code) => {
  it('names and explains every knob, choice and unit', async () => {
    const { knobs } = (await languages[code].texts()).default
    const named = knobs.names as Record<string, { label: string; help: string }>
    const choices = knobs.choices as Record<string, string>
    const units = knobs.units as Record<string, string>
    const empty = knobs.empty as Record<string, string>
    for (const each of KNOBS) {
      expect([each.name, named[each.name]?.label, named[each.name]?.help]).toEqual([
        each.name,
        expect.stringMatching(/./),
        expect.stringMatching(/./),
      ])
      for (const choice of each.choices) expect(choices).toHaveProperty(choice)
      if (each.unit) expect(units).toHaveProperty(each.unit)
      if (each.empty !== undefined) expect(empty).toHaveProperty(each.name)
    }
  })
})
