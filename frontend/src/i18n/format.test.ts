import { describe, expect, it } from 'vitest'
import {
  formatAbout,
  formatBytes,
  formatDuration,
  formatNumber,
  formatParameters,
  formatPercent,
  formatRelative,
  formatValue,
} from './format'
import { changeLanguage } from './language'

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [0.8, '0.8 s'],
    [0.123, '0.12 s'],
    [4.26, '4.3 s'],
    [9.97, '10 s'],
    [59.6, '1 min 00 s'],
    [725, '12 min 05 s'],
    [3840, '1 h 04 min'],
    [97_200, '1 d 03 h'],
  ])('%d s is %s', (seconds, text) => {
    expect(formatDuration('en', seconds)).toBe(text)
  })

  it('speaks Chinese', async () => {
    await changeLanguage('zh-CN')
    expect(formatDuration('zh-CN', 3840)).toBe('1 小时 04 分')
  })

  it.each([null, undefined, NaN, -1])('shows a dash for %s', (value) => {
    expect(formatDuration('en', value)).toBe('–')
  })
})

it.each([
  [3, '10 s'],
  [47, '45 s'],
  [100, '2 min'],
  [725, '12 min'],
  [3590, '1 h 00 min'],
  [3870, '1 h 05 min'],
])('an estimate of %d s is about %s', (seconds, text) => {
  expect(formatAbout('en', seconds)).toBe(text)
})

describe('formatBytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '0.98 kB'],
    [1536, '1.5 kB'],
    [93 * 1024 ** 2, '93 MB'],
    [1.5 * 1024 ** 3, '1.5 GB'],
    [31.24 * 1024 ** 3, '31.2 GB'],
    [640 * 1024 ** 3, '640 GB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes('en', bytes)).toBe(text)
  })
})

describe('numbers', () => {
  it('groups thousands', () => {
    expect(formatNumber('en', 1_234_567)).toBe('1,234,567')
    expect(formatPercent('en', 0.624)).toBe('62%')
  })

  it.each([
    [1.41421, '1.414'],
    [0.02134, '0.02134'],
    [0.0002, '2e-4'],
    [0, '0'],
    [-0.00001234, '-1.234e-5'],
    [1e12, '1e12'],
  ])('a measured %d is %s', (value, text) => {
    expect(formatValue('en', value)).toBe(text)
  })

  it.each([
    [134_515_008, '135M'],
    [7_615_616_512, '7.6B'],
    [494_032_768, '494M'],
    [70e9, '70B'],
    [999_885_952, '1.0B'],
    [950, '950'],
  ])('%d parameters are %s', (value, text) => {
    expect(formatParameters(value)).toBe(text)
  })
})

describe('formatRelative', () => {
  const now = new Date('2026-03-01T12:00:00Z')
  it.each([
    [-2, 'now'],
    [-42, '42 seconds ago'],
    [-180, '3 minutes ago'],
    [-86_400, 'yesterday'],
    [7200, 'in 2 hours'],
  ])('%d s away is %s', (seconds, text) => {
    expect(formatRelative('en', new Date(now.getTime() + seconds * 1000), now)).toBe(text)
  })
})
