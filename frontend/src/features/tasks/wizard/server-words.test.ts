/** What the server recommends and reckons has words here: codes read from the server's own source. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import wizard from '@/i18n/en/wizard'

const ROOT = join(import.meta.dirname, '../../../../..')
const source = (path: string) => readFileSync(join(ROOT, path), 'utf-8')

const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, code = '']) => code)

it('names the reason of every recommended value', () => {
  const text = source('training_engine/recommendation.py')
  const codes = [
    ...all(text, /, "(\w+)"\)/g),
    ...all(text, /reasons\["\w+"\] = "(\w+)"/g),
    ...all(text, /why = "(\w+)" if /g),
    ...all(text, /why = .* else "(\w+)"/g),
    ...all(text, /return "(\w+)"$/gm),
  ]
  expect(codes.length).toBeGreaterThan(8)
  expect(codes.filter((code) => !(code in wizard.reasons))).toEqual([])
})

it('names every part of the memory', () => {
  const text = source('training_engine/memory_parts.py')
  const parts = all(text, /Part\(.*?"(\w+)"/g)
  expect(parts.length).toBeGreaterThan(5)
  expect(parts.filter((part) => !(part in wizard.memory))).toEqual([])
})
