/** Which models are shown: the address first, then what was there, then what is newest. */
import { expect, it } from 'vitest'
import type { Target } from './api'
import { columnsOf, keyOf, NOBODY } from './targets'

const target = (kind: 'base' | 'tuned', id: string, base: string | null = null): Target => ({
  kind,
  id,
  name: id,
  purpose: 'chat',
  base_id: base,
  base_name: base,
  system_prompt: null,
})
const base = target('base', 'b')
const older = target('tuned', 't1', 'b')
const newer = target('tuned', 't2', 'b')
const all = [base, newer, older]
const nothing = { task: '', left: '', right: '' }

it('puts the newest tuned model beside its base', () => {
  expect(columnsOf(all, nothing, [])).toEqual([newer, base])
})

it('takes the training that the link names, whatever stood there', () => {
  expect(columnsOf(all, { ...nothing, task: 't1' }, [keyOf(newer), null])).toEqual([older, base])
})

it('takes the columns that the link names', () => {
  const asked = { ...nothing, left: keyOf(older), right: keyOf(newer) }
  expect(columnsOf(all, asked, [keyOf(base), null])).toEqual([older, newer])
  expect(columnsOf(all, { ...nothing, left: keyOf(older), right: NOBODY }, [])).toEqual([
    older,
    undefined,
  ])
})

it('never puts models beside each other that can not be asked the same', () => {
  const sorts: Target = { ...newer, purpose: 'classify' }
  expect(columnsOf([base, sorts, older], nothing, [])).toEqual([sorts, undefined])
  const asked = { ...nothing, left: keyOf(older), right: keyOf(sorts) }
  expect(columnsOf([base, sorts, older], asked, [])).toEqual([older, undefined])
  const translates: Target = { ...newer, purpose: 'seq2seq' }
  expect(columnsOf([base, translates], nothing, [])).toEqual([translates, base])
})

it('keeps what stood there', () => {
  expect(columnsOf(all, nothing, [keyOf(base), keyOf(newer)])).toEqual([base, newer])
})

it('forgets what was deleted', () => {
  expect(columnsOf([base], { ...nothing, task: 'gone' }, ['tuned:gone', null])).toEqual([
    base,
    undefined,
  ])
  expect(columnsOf([], nothing, [])).toEqual([undefined, undefined])
})
