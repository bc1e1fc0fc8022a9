import { describe, expect, it } from 'vitest'
import { guessColumns, guessType, toMapping } from './mapping-parts'

describe('the first guess of a mapping', () => {
  it.each([
    [['instruction', 'input', 'output'], 'prompt_completion'],
    [['text', 'label'], 'classification'],
    [['Review', 'Sentiment'], 'classification'],
    [['conversations', 'id'], 'conversational'],
    [['text'], 'language_modeling'],
    [['问题', '答案'], 'prompt_completion'],
    [['foo', 'bar'], 'prompt_completion'],
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
  expect(
    toMapping('prompt_completion', { prompt: 'q', completion: 'a', input: '', label: 'x' }, '  '),
  ).toEqual({
    record_type: 'prompt_completion',
    columns: { prompt: 'q', completion: 'a' },
    system_text: null,
  })
})
