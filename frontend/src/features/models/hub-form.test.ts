import { expect, it } from 'vitest'
import { hubId } from './hub-form'

it.each([
  ['Qwen/Qwen2.5-0.5B', 'Qwen/Qwen2.5-0.5B'],
  ['  Qwen/Qwen2.5-0.5B ', 'Qwen/Qwen2.5-0.5B'],
  ['https://hub.example/Qwen/Qwen2.5-0.5B', 'Qwen/Qwen2.5-0.5B'],
  ['https://hub.example/Qwen/Qwen2.5-0.5B/tree/main?x=1', 'Qwen/Qwen2.5-0.5B'],
  ['just-a-name', 'just-a-name'],
])('%s is the model %s', (text, id) => {
  expect(hubId(text)).toBe(id)
})
