/** What follows by itself follows, what the user chose stays; drafts survive being stored. */
import { expect, it } from 'vitest'
import { draftName, draftOf, stateOf } from './draft-document'
import { initialKnobs, knobsOf } from './knobs'
import { initialState, isChanged, wizardReducer, type WizardAction, type WizardState } from './state'
import { bodyOf, emptyValues, outputNameFor } from './values'
import type { Schemas } from '@/api/client'

const play = (state: WizardState, ...actions: WizardAction[]) => actions.reduce(wizardReducer, state)
const start = () => initialState(emptyValues())

const recommend = (
  knobs: Record<string, unknown>,
  method: Schemas['Method'] = 'lora',
): WizardAction => ({
  type: 'recommended',
  recommendation: {
    method,
    hyperparameters: { ...initialKnobs(), ...knobs } as Schemas['Hyperparameters'],
  },
})

it('lets the output name follow the name until it is edited', () => {
  let state = play(start(), { type: 'edit', values: { name: 'Support Bot 2' } })
  expect(state.values.output_name).toBe('support-bot-2')
  state = play(state, { type: 'edit', values: { output_name: 'mine' } })
  state = play(state, { type: 'edit', values: { name: 'Other' } })
  expect(state.values.output_name).toBe('mine')
})

it('suggests a name only while the user has not given one', () => {
  let state = play(start(), { type: 'suggest', name: 'Chat 1', taken: ['chat-1'] })
  expect(state.values).toMatchObject({ name: 'Chat 1', output_name: 'chat-1-2' })
  state = play(state, { type: 'suggest', name: 'Translation', taken: [] })
  expect(state.values).toMatchObject({ name: 'Translation', output_name: 'translation' })
  state = play(state, { type: 'edit', values: { name: 'My bot' } })
  state = play(state, { type: 'suggest', name: 'Chat 2', taken: [] })
  expect(state.values).toMatchObject({ name: 'My bot', output_name: 'my-bot' })
})

it('avoids names in use also while the user types', () => {
  const state = play(
    start(),
    { type: 'suggest', name: '', taken: ['bot', 'BOT-2'] },
    { type: 'edit', values: { name: 'Bot' } },
  )
  expect(state.values.output_name).toBe('bot-3')
})

it.each([
  ['Kundendienst für Köln', 'kundendienst-fur-koln'],
  ['客服', 'chat'],
  ['客服 3', 'chat-3'],
  ['  --  ', 'chat'],
  ['A'.repeat(200), 'a'.repeat(80)],
])('%j becomes %j', (name, expected) => {
  expect(outputNameFor(name, 'chat', [])).toBe(expected)
})

it('moves untouched fields to new recommendations and keeps the changed ones', () => {
  let state = play(start(), recommend({ epochs: 5, learning_rate: 3e-4 }))
  expect(state.values.hyperparameters).toMatchObject({ epochs: 5, learning_rate: 3e-4 })
  expect(isChanged(state, 'epochs')).toBe(false)
  state = play(state, { type: 'knob', name: 'epochs', value: 7 })
  expect(isChanged(state, 'epochs')).toBe(true)
  state = play(state, recommend({ epochs: 2, learning_rate: 1e-4 }))
  expect(state.values.hyperparameters).toMatchObject({ epochs: 7, learning_rate: 1e-4 })
  state = play(state, { type: 'reset', name: 'epochs' })
  expect(state.values.hyperparameters.epochs).toBe(2)
  expect(isChanged(state, 'epochs')).toBe(false)
})

const DEFAULT_RATE = initialKnobs().learning_rate

/** A run of seven epochs at the default rate, cloned; its data had a validation set. */
function clone(): WizardState {
  const hyperparameters = { ...initialKnobs(), epochs: 7 }
  const values = { ...emptyValues(), validation_dataset_id: 'v', hyperparameters }
  return initialState(values, {
    methodChosen: true,
    kept: knobsOf(values).map(({ name }) => name),
  })
}

it('keeps the values of a cloned run; what is recommended is what they are compared with', () => {
  let state = play(clone(), recommend({ learning_rate: 5e-4, epochs: 7, evaluation_fraction: 0 }))
  expect(state.values.hyperparameters).toMatchObject({ learning_rate: DEFAULT_RATE, epochs: 7 })
  expect([isChanged(state, 'learning_rate'), isChanged(state, 'epochs')]).toEqual([true, false])
  // It did not matter for that run, so nobody has chosen it.
  expect(isChanged(state, 'evaluation_fraction')).toBe(false)
  state = play(state, recommend({ learning_rate: 1e-4, epochs: 2 }))
  expect(state.values.hyperparameters).toMatchObject({ learning_rate: DEFAULT_RATE, epochs: 2 })
  state = play(state, { type: 'reset', name: 'learning_rate' })
  expect(state.values.hyperparameters.learning_rate).toBe(1e-4)
})

it('takes over a recommended nothing', () => {
  let state = play(start(), recommend({ early_stopping_patience: 3 }))
  state = play(state, recommend({ early_stopping_patience: null }))
  expect(state.values.hyperparameters.early_stopping_patience).toBeNull()
  expect(isChanged(state, 'early_stopping_patience')).toBe(false)
})

it('follows the recommended method until one is chosen', () => {
  let state = play(start(), recommend({}, 'full'))
  expect(state.values.method).toBe('full')
  state = play(state, { type: 'edit', values: { method: 'lora' } }, recommend({}, 'full'))
  expect(state.values.method).toBe('lora')
  state = play(state, { type: 'resetMethod', method: 'full' })
  expect(state.values.method).toBe('full')
  expect(play(state, recommend({}, 'freeze')).values.method).toBe('freeze')
})

it('forgets what the server said about a field when that field changes', () => {
  const refused = play(start(), {
    type: 'refused',
    fields: { output_name: 'taken', 'hyperparameters.epochs': 'too many' },
  })
  expect(play(refused, { type: 'edit', values: { output_name: 'b' } }).refused).toEqual({
    'hyperparameters.epochs': 'too many',
  })
  expect(play(refused, { type: 'knob', name: 'epochs', value: 1 }).refused).toEqual({
    output_name: 'taken',
  })
})

it('survives being stored', () => {
  const state = play(
    start(),
    { type: 'edit', values: { name: 'Bot', model_id: 'm', dataset_id: 'd', method: 'full' } },
    recommend({ epochs: 5 }, 'full'),
    { type: 'knob', name: 'seed', value: 7 },
    { type: 'sending', sent: { key: 'k', body: '{}' } },
  )
  const draft = JSON.parse(JSON.stringify(draftOf(state))) as Record<string, unknown>
  expect(stateOf(draft)).toEqual({ ...state, touched: {}, refused: {}, edits: 0 })
  expect(draftName(draft)).toBe('Bot')
})

const stored = (state: WizardState) => JSON.parse(JSON.stringify(draftOf(state))) as Record<string, unknown>
const rateOf = (state: WizardState) => state.values.hyperparameters.learning_rate

it('keeps in a draft what was chosen, and lets follow what was not', () => {
  const found = recommend({ learning_rate: 5e-4 })
  // Stored before anything was recommended.
  expect(rateOf(play(stateOf(stored(clone())), found))).toBe(DEFAULT_RATE)
  expect(rateOf(play(stateOf(stored(start())), found))).toBe(5e-4)
  // By another program, which tells no recommendation.
  const values = { hyperparameters: { learning_rate: DEFAULT_RATE } }
  const state = play(stateOf({ values }), recommend({ learning_rate: 5e-4, epochs: 9 }))
  expect(state.values.hyperparameters).toMatchObject({ learning_rate: DEFAULT_RATE, epochs: 9 })
})

it('reads a draft of another version without losing or inventing fields', () => {
  const state = stateOf({
    values: { name: 'Old', model_id: 5, colour: 'red', hyperparameters: { epochs: 9, gone: 1 } },
  })
  expect(state.values).toEqual({
    ...emptyValues(),
    name: 'Old',
    hyperparameters: { ...initialKnobs(), epochs: 9 },
  })
  expect(stateOf({}).values).toEqual(emptyValues())
})

it('sends defaults for what the method does not use, and nothing before all is chosen', () => {
  const state = play(
    start(),
    { type: 'edit', values: { name: ' Bot ', model_id: 'm', dataset_id: 'd', method: 'full' } },
    { type: 'knob', name: 'lora_rank', value: 0 },
    { type: 'knob', name: 'epochs', value: 1 },
  )
  expect(bodyOf(state.values)).toMatchObject({
    name: 'Bot',
    output_name: 'bot',
    hyperparameters: { lora_rank: 16, epochs: 1 },
  })
  const template = { ...state.values, chat_template: '{{ messages }}' }
  expect(bodyOf(template)?.chat_template).toBe('{{ messages }}')
  expect(bodyOf({ ...template, objective: 'pretrain' })?.chat_template).toBeNull()
  expect(bodyOf(emptyValues())).toBeNull()
})
