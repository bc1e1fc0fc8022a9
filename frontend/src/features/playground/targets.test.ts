import { expect, it } from 'vitest'
import type { Target } from './api'
import { columnsOf, keyOf } from './targets'

const target = (kind: 'base' | 'tuned', id: string, base: string | null = null): Target => ({
  kind,
  id,
  name: id,
  base_id: base,
  base_name: base,
  system_prompt: null,
})
const base = target('base', 'b')
const older = target('tuned', 't1', 'b')
const newer = target('tuned', 't2', 'b')
const all = [newer, older, base]

it('puts the newest tuned model beside its base', () => {
  expect(columnsOf(all, [], null)).toEqual([newer, base])
})

it('takes the one that the link names', () => {
  expect(columnsOf(all, [], 't1')).toEqual([older, base])
})

it('keeps what was chosen, unless the link wants another', () => {
  const chosen = [keyOf(base), keyOf(newer)]
  expect(columnsOf(all, chosen, null)).toEqual([base, newer])
  expect(columnsOf(all, chosen, 't2')).toEqual([base, newer])
  expect(columnsOf(all, chosen, 't1')).toEqual([older, base])
})

it('forgets what was deleted', () => {
  expect(columnsOf([base], ['tuned:gone', null], null)).toEqual([base, undefined])
  expect(columnsOf([], [], null)).toEqual([undefined, undefined])
})
