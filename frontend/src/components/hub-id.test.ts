import { expect, it } from 'vitest'
import { hubId, isHubId } from './hub-id'

it.each([
  ['Qwen/Qwen2.5-0.5B', 'Qwen/Qwen2.5-0.5B'],
  ['  Qwen/Qwen2.5-0.5B ', 'Qwen/Qwen2.5-0.5B'],
  ['https://hub.example/Qwen/Qwen2.5-0.5B', 'Qwen/Qwen2.5-0.5B'],
  ['https://hub.example/Qwen/Qwen2.5-0.5B/tree/main?x=1', 'Qwen/Qwen2.5-0.5B'],
  ['https://hub.example/datasets/some/talks/viewer', 'some/talks'],
  ['https://hub.example/models/Qwen/Qwen2.5-0.5B/summary', 'Qwen/Qwen2.5-0.5B'],
  ['just-a-name', 'just-a-name'],
])('%s is %s', (text, id) => {
  expect(hubId(text)).toBe(id)
})

it.each([
  ['some/talks', true],
  ['https://hub.example/datasets/some/talks', true],
  ['talks', false],
  ['../talks', false],
  ['a/../b', false],
  ['a/b/c', false],
  ['a b/c', false],
  ['', false],
])('“%s” names something: %s', (text, named) => {
  expect(isHubId(text)).toBe(named)
})
