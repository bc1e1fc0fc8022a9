import { describe, expect, it } from 'vitest'
import {
  append,
  emptyWindow,
  matches,
  MAX_LINES,
  plainText,
  prepend,
  splitAtMatches,
  type LogLine,
} from './log-lines'

const line = (offset: number, text = `line ${offset}`, attempt = 1): LogLine => ({
  id: `${attempt}-${offset}`,
  number: offset,
  at: '2026-01-01T00:00:00Z',
  level: 'info',
  stream: 'out',
  text,
  continued: false,
})
const offsets = (window: { lines: LogLine[] }) => window.lines.map(({ id }) => id)

describe('the window', () => {
  it('takes every line once, also when a reconnected stream repeats some', () => {
    const first = append(emptyWindow, [line(0), line(10)])
    expect(offsets(append(first, [line(10), line(20)]))).toEqual(['1-0', '1-10', '1-20'])
  })

  it('orders attempts before offsets', () => {
    const window = append(append(emptyWindow, [line(500)]), [line(0, 'again', 2)])
    expect(offsets(window)).toEqual(['1-500', '2-0'])
  })

  it('compares offsets as numbers', () => {
    expect(offsets(append(append(emptyWindow, [line(9)]), [line(10)]))).toEqual(['1-9', '1-10'])
  })

  it('puts older lines before, without those it has', () => {
    const window = append(emptyWindow, [line(20)])
    expect(offsets(prepend(window, [line(10), line(20)], false))).toEqual(['1-10', '1-20'])
  })

  it('stays bounded and knows that lines are missing', () => {
    const many = Array.from({ length: MAX_LINES + 5 }, (_, n) => line(n))
    const window = append(emptyWindow, many)
    expect(window.lines).toHaveLength(MAX_LINES)
    expect(window.more).toBe(true)
    expect(window.lines[0]?.id).toBe('1-5')
  })
})

it('filters live lines as the server does: level and text, whatever the case', () => {
  expect(matches(line(0, 'Loss 1.2'), { q: 'loss', levels: [] })).toBe(true)
  expect(matches(line(0, 'Loss 1.2'), { q: '', levels: ['error'] })).toBe(false)
  expect(matches(line(0, 'Loss 1.2'), { q: 'acc', levels: ['info'] })).toBe(false)
})

it('cuts a line at its matches', () => {
  expect(splitAtMatches('a loss, a LOSS.', 'loss')).toEqual(['a ', 'loss', ', a ', 'LOSS', '.'])
  expect(splitAtMatches('nothing', 'x')).toEqual(['nothing'])
})

it('removes colours, links and control characters', () => {
  expect(plainText('\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007\u0000')).toBe(
    'red link',
  )
})
