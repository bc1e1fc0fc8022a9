import { describe, expect, it } from 'vitest'
import { completeSteps, lackOf } from './check-steps'
import { meant, opsOf, withField, withOp } from './fields/conditions'
import { CHANGE_KINDS, meantText, newChange, shownText } from './fields/change-specs'
import { listOf, newStep, STEP_KINDS, stepListReducer, type StepOf } from './steps'
import { knownSteps } from './use-step-list'

const kinds = (list: ReturnType<typeof listOf>) => list.items.map(({ step }) => step.kind)

describe('the list of steps', () => {
  const three = listOf([newStep('filter'), newStep('sample'), newStep('split')])

  it('adds at the end, with a key of its own', () => {
    const list = stepListReducer(three, { type: 'add', kind: 'shuffle' })
    expect(kinds(list)).toEqual(['filter', 'sample', 'split', 'shuffle'])
    expect(new Set(list.items.map(({ key }) => key)).size).toBe(4)
  })

  it('moves, and stops at both ends', () => {
    expect(kinds(stepListReducer(three, { type: 'move', key: 1, by: -1 }))).toEqual(['sample', 'filter', 'split'])
    expect(kinds(stepListReducer(three, { type: 'move', key: 0, by: -1 }))).toEqual(kinds(three))
    expect(kinds(stepListReducer(three, { type: 'move', key: 2, by: 1 }))).toEqual(kinds(three))
    expect(kinds(stepListReducer(three, { type: 'move', key: 99, by: 1 }))).toEqual(kinds(three))
  })

  it('keeps the keys of the others when one goes, and never gives one out again', () => {
    const less = stepListReducer(three, { type: 'remove', key: 2 })
    expect(less.items.map(({ key }) => key)).toEqual([0, 1])
    expect(stepListReducer(less, { type: 'add', kind: 'mix' }).items.at(-1)?.key).toBe(3)
  })

  it('changes one and leaves the others as they are', () => {
    const list = stepListReducer(three, { type: 'change', key: 1, step: { kind: 'sample', rows: 5, fraction: null, seed: 1 } })
    expect(list.items[1]?.step).toMatchObject({ rows: 5 })
    expect(list.items[0]).toBe(three.items[0])
  })

  it('takes only steps that are known from what was kept', () => {
    expect(knownSteps([{ kind: 'shuffle', seed: 0 }, { kind: 'odd' }, null, 'x'])).toHaveLength(1)
    const broken = [{ kind: 'filter' }, { kind: 'map', changes: [{ kind: 'odd' }] }, { kind: 'mix' }, { kind: 'split' }]
    expect(knownSteps(broken)).toEqual([])
    expect(knownSteps(STEP_KINDS.map(newStep))).toHaveLength(STEP_KINDS.length)
    expect(knownSteps('rubbish')).toEqual([])
    expect(knownSteps(undefined)).toEqual([])
  })
})

describe('what a step lacks', () => {
  it('is told of every new step that needs something said', () => {
    expect(STEP_KINDS.map((kind) => lackOf(newStep(kind)))).toEqual([
      'value', 'findings', null, null, null, 'source', 'source', null,
    ])
  })

  it.each([
    [{ fractions: { validation: 0 } }, 'share'],
    [{ fractions: { a: 0.6, b: 0.5 } }, 'shareSum'],
    [{ fractions: { 'Not Good': 0.1 } }, 'splitName'],
    [{ fractions: { train: 0.1 } }, 'splitTwice'],
    [{ by: 'group' as const }, 'splitField'],
    [{ fractions: { a: 0.5, b: 0.5 } }, null],
  ])('of a split with %j', (changed, expected) => {
    expect(lackOf({ ...(newStep('split') as StepOf<'split'>), ...changed })).toBe(expected)
  })

  it('ends the steps that are tried', () => {
    const steps = [newStep('shuffle'), newStep('filter'), newStep('sample')]
    expect(completeSteps(steps)).toHaveLength(1)
    expect(completeSteps([newStep('shuffle')])).toHaveLength(1)
    expect(completeSteps([])).toEqual([])
  })

  it('is told of each change that is not filled in', () => {
    const lacking = CHANGE_KINDS.filter((kind) => lackOf({ kind: 'map', changes: [newChange(kind)] }) !== null)
    expect(lacking.sort()).toEqual(
      ['label_from_extra', 'rename_label', 'replace', 'set_system', 'system_from_extra'].sort(),
    )
  })
})

describe('a condition', () => {
  const text = { field: 'text', op: 'contains', value: 'abc', ignore_case: true } as const

  it('keeps its value for a comparison of the same kind, and drops it for another', () => {
    expect(withOp(text, 'equals')).toMatchObject({ value: 'abc', ignore_case: false })
    expect(withOp(text, 'one_of').value).toEqual([])
    expect(withOp(text, 'missing').value).toBeNull()
    expect(withField(text, 'turns')).toMatchObject({ op: 'at_least', value: null })
  })

  it('compares a column in every spelling of what was typed', () => {
    const of = (op: 'equals' | 'one_of' | 'at_least', value: string | string[]) =>
      meant({ field: 'extra.n', op, value, ignore_case: false })
    expect(of('equals', '5')).toMatchObject({ op: 'one_of', value: ['5', 5] })
    expect(of('equals', 'true')).toMatchObject({ op: 'one_of', value: ['true', true] })
    expect(of('equals', 'north')).toMatchObject({ op: 'equals', value: 'north' })
    expect(of('one_of', ['1', 'x'])).toMatchObject({ value: ['1', 1, 'x'] })
    expect(of('at_least', '2.5').value).toBe(2.5)
    expect(of('at_least', '2026-01-01').value).toBe('2026-01-01')
    expect(meant({ ...text, op: 'equals', value: '5' })).toMatchObject({ op: 'equals', value: '5' })
  })

  it('is never offered a comparison that the field can not have', () => {
    expect(opsOf('characters')).not.toContain('contains')
    expect(opsOf('text')).not.toContain('at_least')
    expect(opsOf('extra.day')).toContain('at_least')
  })
})

it('writes line breaks so that a field of one line can hold them', () => {
  expect(shownText('a\n\tb')).toBe('a\\n\\tb')
  expect(meantText(shownText('a\n\tb'))).toBe('a\n\tb')
})
