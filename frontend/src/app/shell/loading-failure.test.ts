import { expect, it } from 'vitest'
import { isLoadingFailure, mayReload } from './loading-failure'

it.each([
  [new TypeError('Failed to fetch dynamically imported module: http://x/a.js'), true],
  [new Error('Unable to preload CSS for /assets/a.css'), true],
  [new TypeError('error loading dynamically imported module'), true],
  [new TypeError('x is undefined'), false],
  ['text', false],
])('%s: %s', (error, loading) => {
  expect(isLoadingFailure(error)).toBe(loading)
})

it('does not reload in a circle', () => {
  const kept = new Map<string, string>()
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  }
  expect(mayReload(1_000_000, store)).toBe(true)
  expect(mayReload(1_005_000, store)).toBe(false)
  expect(mayReload(1_030_000, store)).toBe(true)
})
