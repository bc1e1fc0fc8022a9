/** What is shown of a log says what happened, not how the program got there. */
import { expect, it } from 'vitest'
import { evidenceOf } from './evidence-lines'

const line = (number: number, text: string, level: 'info' | 'error' = 'error') => ({
  id: `1-${number}`,
  number,
  at: '2026-01-01T00:00:00Z',
  level,
  stream: 'err' as const,
  text,
  continued: false,
})

const log = [
  line(1, 'step 1', 'info'),
  line(2, 'Traceback (most recent call last):'),
  line(3, '  File "/a.py", line 3, in run'),
  line(4, '    train()'),
  line(5, '    ^^^^^^^'),
  line(6, 'ValueError: no'),
  line(7, 'ERROR: The data can not be read.'),
  line(8, 'late words'),
]
const numbers = (lines: { number: number }[]) => lines.map(({ number }) => number)

it('leaves out the way through the program', () => {
  expect(numbers(evidenceOf(log, '1-7'))).toEqual([6, 7])
  expect(numbers(evidenceOf(log, null))).toEqual([6, 7, 8])
})

it('shows the last words where no line is an error', () => {
  const quiet = Array.from({ length: 9 }, (_, n) => line(n + 1, n === 8 ? ' ' : `step ${n}`, 'info'))
  expect(numbers(evidenceOf(quiet, null))).toEqual([5, 6, 7, 8])
  expect(evidenceOf([], '1-7')).toEqual([])
})
