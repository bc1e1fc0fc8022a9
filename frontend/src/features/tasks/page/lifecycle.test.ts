/** The present attempt's way; what was before a restart does not count. */
import { expect, it } from 'vitest'
import { turnsOf, wayOf } from './lifecycle'

const move = (code: string, minute: number) => ({
  id: `move-${minute}`,
  at: `2026-01-01T00:0${minute}:00Z`,
  attempt: 1,
  type: 'transition',
  level: 'info' as const,
  code,
  message: '',
  params: {},
})

it('begins with the last time that it was queued', () => {
  const events = ['PENDING', 'RUNNING', 'FAILED', 'PENDING', 'PREPARING'].map(move)
  expect([...turnsOf(events).keys()]).toEqual(['PENDING', 'PREPARING'])
  expect(turnsOf(events).get('PENDING')).toBe('2026-01-01T00:03:00Z')
  expect([...turnsOf([])]).toEqual([])
})

it('ends where the run ended', () => {
  expect(wayOf('FAILED').at(-1)).toBe('FAILED')
  expect(wayOf('STOPPING').slice(-2)).toEqual(['STOPPING', 'STOPPED'])
  expect(wayOf('RUNNING')).toContain('COMPLETED')
})
