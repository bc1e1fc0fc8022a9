import { describe, expect, it } from 'vitest'
import { guessColumns, guessType, MAPPABLE_TYPES, PARTS, toMapping } from './mapping-parts'

describe('the first guess of a mapping', () => {
  it.each([
    [['instruction', 'input', 'output'], 'prompt_completion'],
    [['text', 'label'], 'classification'],
    [['sentence', 'category'], 'classification'],
    [['sentence', 'score'], 'classification'],
    [['question', 'solution_steps', 'ratings'], 'stepwise_supervision'],
    [['Review', 'Sentiment'], 'classification'],
    [['conversations', 'id'], 'conversational'],
    [['text'], 'language_modeling'],
    [['问题', '答案'], 'prompt_completion'],
    [['foo', 'bar'], 'prompt_completion'],
    [['prompt', 'chosen', 'rejected'], 'preference'],
    [['prompt', 'completion', 'kto_tag'], 'unpaired_preference'],
    [['question', 'answer', 'category'], 'prompt_completion'],
    [['prompt', 'completions', 'labels'], 'stepwise_supervision'],
    [['messages', 'category'], 'classification'],
  ])('%j looks like %s', (columns, type) => {
    expect(guessType(columns)).toBe(type)
  })

  it('gives each column to one part only', () => {
    expect(guessColumns('classification', ['text', 'target', 'label'])).toEqual({
      text: 'text',
      label: 'label',
    })
    expect(guessColumns('prompt_completion', ['question', 'answer', 'context'])).toEqual({
      prompt: 'question',
      completion: 'answer',
      input: 'context',
    })
  })

  it('leaves open what it does not know', () => {
    expect(guessColumns('prompt_completion', ['c1', 'c2'])).toEqual({})
  })
})

it('sends only parts of the chosen type that are filled in', () => {
  const columns = { prompt: 'q', completion: 'a', input: '', label: 'x' }
  expect(
    toMapping('prompt_completion', { columns, systemText: '  ', labelTrue: 'good' }),
  ).toEqual({
    record_type: 'prompt_completion',
    columns: { prompt: 'q', completion: 'a' },
    tags: null,
    system_text: null,
    label_true: null,
    label_columns: null,
  })
})

it('takes columns of classes in place of a label, and only of a classification', () => {
  const said = { columns: { text: 'comment' }, classes: ['toxic', 'threat'] }
  expect(toMapping('classification', said)).toMatchObject({
    columns: { text: 'comment' },
    label_columns: ['toxic', 'threat'],
  })
  expect(toMapping('language_modeling', said).label_columns).toBeNull()
  const both = { ...said, columns: { text: 'comment', label: 'toxic' } }
  expect(toMapping('classification', both).label_columns).toBeNull()
})

it('takes a prompt or messages, not both, and tags only with messages', () => {
  const columns = { prompt: 'q', completion: 'a', messages: 'm', label: 'x' }
  const tags = { user: ' Q ', assistant: '' }
  const mapping = toMapping('unpaired_preference', { columns, tags, labelTrue: '5' })
  expect(mapping.columns).toEqual({ prompt: 'q', completion: 'a', label: 'x' })
  expect(mapping.tags).toBeNull()
  expect(mapping.label_true).toBe('5')
  expect(toMapping('conversational', { columns, tags }).tags).toEqual({ user: 'Q' })
})

it('guesses a prompt or messages, not both', () => {
  expect(guessColumns('preference', ['messages', 'chosen', 'rejected'])).toEqual({
    messages: 'messages',
    chosen: 'chosen',
    rejected: 'rejected',
  })
  expect(guessColumns('preference', ['messages', 'prompt', 'chosen', 'rejected'])).toEqual({
    prompt: 'prompt',
    chosen: 'chosen',
    rejected: 'rejected',
  })
})

it('knows the parts of every kind of record', () => {
  for (const type of MAPPABLE_TYPES) {
    expect(PARTS[type].some(({ required }) => required)).toBe(true)
  }
  expect(MAPPABLE_TYPES).toHaveLength(7)
})
