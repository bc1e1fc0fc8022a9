/** What a run can say has words here: codes read from the engine's own source. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eventText } from './event-text'
import type { Schemas } from '@/api/client'
import errors from '@/i18n/en/errors'
import events from '@/i18n/en/events'
import { formatList, type useFormat } from '@/i18n/format'
import { texts } from '@/i18n/language'

const ROOT = join(import.meta.dirname, '../../../../..')

it('has words for every notice of the engine', () => {
  const folder = join(ROOT, 'training_engine')
  const codes = readdirSync(folder, { recursive: true, encoding: 'utf-8' })
    .filter((path) => path.endsWith('.py'))
    .map((path) => readFileSync(join(folder, path), 'utf-8'))
    .flatMap((text) => [...text.matchAll(/\.notice\(\s*"\w+",\s*"(\w+)"/g)])
    .map(([, code = '']) => code)
  expect(codes.length).toBeGreaterThan(7)
  expect(codes.filter((code) => !(code in events.notice || `${code}_other` in events.notice))).toEqual([])
})

it('has a next step for every reason to fail', () => {
  const names = readFileSync(join(ROOT, 'training_engine/contract/names.py'), 'utf-8')
  const body = /class FailureCode\(StrEnum\):([\s\S]*?)\n\n\n/.exec(names)?.[1] ?? ''
  const codes = [...body.matchAll(/= "(\w+)"/g)].map(([, code = '']) => code)
  expect(codes.length).toBeGreaterThan(10)
  expect(codes.filter((code) => !(code in errors.hints))).toEqual([])
})

it('calls settings by their names', () => {
  const format = { list: (items: readonly string[]) => formatList('en', items) }
  const event = { type: 'notice', code: 'knobs_idle', message: '', params: { knobs: 'packing, lora_rank' } }
  const text = eventText(
    texts.t,
    format as ReturnType<typeof useFormat>,
    event as unknown as Schemas['TaskEvent'],
  )
  expect(text).toBe('These settings do nothing here: Packing and LoRA rank.')
})
