import { describe, expect, it } from 'vitest'
import { cellText, columnsOf, conversationOf, withoutNotes } from './record-text'

describe('conversationOf', () => {
  it('takes messages as they are', () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ]
    expect(conversationOf({ messages })).toEqual(messages)
  })

  it('makes turns of prompt and completion', () => {
    expect(conversationOf({ system: 'S', prompt: 'P', completion: 'C' })).toEqual([
      { role: 'system', content: 'S' },
      { role: 'user', content: 'P' },
      { role: 'assistant', content: 'C' },
    ])
  })

  it('unfolds prompts that are messages themselves', () => {
    const record = {
      prompt: [{ role: 'user', content: 'P' }],
      completion: [{ role: 'assistant', content: 'C' }],
    }
    expect(conversationOf(record)?.map((turn) => turn.role)).toEqual(['user', 'assistant'])
  })

  it('shows content that is no text as JSON', () => {
    const record = { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }
    expect(conversationOf(record)?.[0]?.content).toBe('[{"type":"text","text":"x"}]')
  })

  it('shows the tools that a turn calls', () => {
    const call = { type: 'function', function: { name: 'weather', arguments: { city: 'Rome' } } }
    const turnOf = (turn: object) => conversationOf({ messages: [turn] })?.[0]
    expect(turnOf({ role: 'assistant', content: '', tool_calls: [call] })).toEqual({
      role: 'assistant',
      content: '',
      calls: [{ name: 'weather', args: { city: 'Rome' } }],
    })
    const written = { function: { name: 'now', arguments: '{}' } }
    const two = { role: 'assistant', content: 'Wait.', tool_calls: [call, written] }
    expect(turnOf(two)?.calls).toHaveLength(2)
    expect(cellText([two])).toBe('assistant: Wait.\nweather({"city":"Rome"})\nnow({})')
    expect(turnOf({ role: 'assistant', content: null, tool_calls: ['odd'] })?.content).toBe('odd')
  })

  it.each([[{ text: 'a' }], [{ messages: [] }], [{ messages: ['hi'] }], [{ prompt: 'only' }]])(
    'says that %j is none',
    (record) => {
      expect(conversationOf(record)).toBeNull()
    },
  )
})

it('leaves the notes of the importer out, but not a column of that name', () => {
  expect(withoutNotes({ prompt: 'a', meta: { line: 3, extra: { id: 1 } } })).toEqual({ prompt: 'a' })
  expect(withoutNotes({ prompt: 'a', meta: 'mine' })).toEqual({ prompt: 'a', meta: 'mine' })
})

it('collects columns in the order of their first row', () => {
  expect(columnsOf([{ b: 1, a: 2 }, { c: 3, a: 4 }])).toEqual(['b', 'a', 'c'])
})

it('shows messages in a cell with their roles', () => {
  expect(cellText([{ role: 'user', content: 'Hi' }])).toBe('user: Hi')
  expect(cellText({ a: 1 })).toBe('{"a":1}')
  expect(cellText(null)).toBe('null')
})
