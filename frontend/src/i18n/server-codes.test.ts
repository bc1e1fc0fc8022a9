/** Every code that the server can send has words here: read from the server's own source. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import datasets from './en/datasets'
import errors from './en/errors'
import findings from './en/wizard-findings'
import models from './en/models'
import noticeTargets from './en/notice-targets'
import notices from './en/notices'
import playground from './en/playground'
import system from './en/system'

const ROOT = join(import.meta.dirname, '../../..')

function sources(folder: string): { path: string; text: string }[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf-8' })
    .filter((path) => path.endsWith('.py'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, folder, path), 'utf-8') }))
}

/** The classes below AppError, without those that only the command line raises. */
function errorClasses(): string[] {
  const declared = sources('backend')
    .filter(({ path }) => !/commands|cli|_command/.test(path))
    .flatMap(({ text }) => [...text.matchAll(/^class (\w+)\(([\w., ]+)\):/gm)])
    .map(([, name = '', bases = '']) => ({ name, bases: bases.split(/[., ]+/) }))
  const found = new Set(['AppError'])
  for (let before = 0; before !== found.size;) {
    before = found.size
    for (const { name, bases } of declared) {
      if (bases.some((base) => found.has(base))) found.add(name)
    }
  }
  found.delete('AppError')
  return [...found]
}

/** The first argument of each call of `name` that is a literal. */
const literals = (folder: string, name: string) =>
  sources(folder)
    .flatMap(({ text }) => [...text.matchAll(new RegExp(`\\b${name}\\(\\s*"(\\w+)"`, 'g'))])
    .map(([, code = '']) => code)

/** What a pattern captures in the files of a folder; without duplicates. */
const captured = (folder: string, pattern: RegExp) => [
  ...new Set(
    sources(folder).flatMap(({ text }) => [...text.matchAll(pattern)].map(([, code = '']) => code)),
  ),
]

/** Whether there are words for a code: a sentence, or its plural forms. */
const said = (words: object, code: string) => code in words || `${code}_other` in words

describe('words for', () => {
  it('every refusal of the API', () => {
    const classes = errorClasses()
    expect(classes.length).toBeGreaterThan(30)
    expect(classes.filter((name) => !said(errors.codes, name))).toEqual([])
  })

  it('every reason why a run fails', () => {
    const names = readFileSync(join(ROOT, 'training_engine/contract/names.py'), 'utf-8')
    const body = /class FailureCode\(StrEnum\):([\s\S]*?)\n\n\n/.exec(names)?.[1] ?? ''
    const codes = [...body.matchAll(/= "(\w+)"/g)].map(([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(10)
    expect(codes.filter((code) => !said(errors.codes, code))).toEqual([])
  })

  it('everything that can be found about a plan', () => {
    const states = captured('backend/tasks', /^ {4}(?:Dataset|Model)Status\.(\w+): "/gm)
    const codes = [
      ...captured('backend/tasks', /\bcode="(\w+)"/g),
      ...captured('backend/tasks', /_error\(\s*\w+,\s*"(\w+)"/g),
      ...captured('backend/tasks', /^ {4}Head\.\w+: \(\s*"(\w+)"/gm),
      ...captured('training_engine/contract', /\bMisfit\(\s*"(\w+)"/g),
      ...captured('training_engine', /\bReason\(\s*"(\w+)"/g),
    ]
    expect(states.length).toBeGreaterThan(5)
    expect(codes.length).toBeGreaterThan(20)
    const missing = codes.filter((code) => !said(findings.findings, code) && !(code in errors.fields))
    expect(missing).toEqual([])
    const all = Object.keys(findings.findings)
    expect(states.filter((s) => !all.some((code) => code.endsWith(`_${s.toLowerCase()}`)))).toEqual([])
  })

  it('every contradiction between hyper-parameters', () => {
    const codes = captured('training_engine/contract', /\btold\["\w+"\] = \(?\s*"(\w+)",/g)
    expect(codes.length).toBeGreaterThan(2)
    expect(codes.filter((code) => !(code in errors.fields))).toEqual([])
  })

  it('every reason why the playground has no answer', () => {
    const codes = [
      ...literals('training_engine/serve', 'ServeError'),
      ...captured('backend/serving', /\bcode="(\w+)"/g),
    ].filter((code) => code !== 'cancelled') // by the user, who sees that it was stopped
    expect(codes.length).toBeGreaterThan(8)
    expect(codes.filter((code) => !(code in playground.failures))).toEqual([])
  })

  it('every reason why a file can not be imported, with the next step', () => {
    const codes = literals('backend/datasets', 'UnreadableFile')
    expect(codes.length).toBeGreaterThan(10)
    expect(codes.filter((code) => !(said(errors.codes, code) && code in errors.hints))).toEqual([])
  })

  it('every reason why a data set of a hub can not be had, with the next step', () => {
    const codes = literals('backend/datasets/hubs', 'HubTrouble')
    expect(codes.length).toBeGreaterThan(10)
    expect(codes.filter((code) => !(said(errors.codes, code) && code in errors.hints))).toEqual([])
  })

  it('every reason why a row has no place in a form', () => {
    const codes = literals('backend/datasets/exporting', 'NoPlace')
    expect(codes.length).toBeGreaterThan(10)
    expect(codes.filter((code) => !(code in errors.reasons))).toEqual([])
  })

  it('every reason why a version can not be prepared, with the next step', () => {
    const codes = [
      ...captured('backend/datasets/preparing', /\bNotPossible\(\s*"(\w+)"/g),
      ...captured('backend/datasets/preparing', /"reason_code": "(\w+)"/g),
      'no_row_left',
      'no_usable_row_left',
    ]
    expect(codes.length).toBeGreaterThan(10)
    expect(codes.filter((code) => !(said(errors.codes, code) && code in errors.hints))).toEqual([])
  })

  it('every end of work on data, with the next step, and every such work', () => {
    const codes = captured('backend/datasets', /"(data_work_\w+|fetch_stopped)"/g)
    expect(codes.length).toBeGreaterThan(8)
    expect(codes.filter((code) => !(code in errors.codes && code in errors.hints))).toEqual([])
    const works = captured('backend/datasets', /^ {4}(?:IMPORT|FETCH|PREPARATION|EXAMINATION) = "(\w+)"/gm)
    expect(works.sort()).toEqual(Object.keys(errors.works).sort())
    expect(Object.keys(errors.again)).toEqual(Object.keys(errors.works))
  })

  it('every rule by which a row is dropped or repaired', () => {
    const rules = [
      ...literals('backend/datasets', 'RowError'),
      ...literals('backend/datasets', 'Repair'),
      // A file that can not be read at all stands in its report, too.
      ...literals('backend/datasets', 'UnreadableFile'),
    ]
    expect(rules.length).toBeGreaterThan(30)
    expect(rules.filter((rule) => !(rule in datasets.rules))).toEqual([])
  })

  it('every reason why a folder is no model', () => {
    const reasons = literals('backend/models', 'UnusableFolder')
    expect(reasons.length).toBeGreaterThan(4)
    expect(reasons.filter((reason) => !(reason in models.reasons))).toEqual([])
  })

  it('every fence around the engine', () => {
    const source = readFileSync(join(ROOT, 'backend/system/isolation.py'), 'utf-8')
    const listed = /reached = \[([^\]]*)\]/.exec(source)?.[1] ?? ''
    const kinds = [
      ...[...listed.matchAll(/"(\w+)"/g)].map(([, kind = '']) => kind),
      ...[...source.matchAll(/reached\.append\("(\w+)"\)/g)].map(([, kind = '']) => kind),
    ]
    expect(kinds.length).toBeGreaterThan(4)
    expect(kinds.filter((kind) => !(kind in system.isolationKinds))).toEqual([])
  })

  it('every reason why a message to the outside did not arrive', () => {
    const codes = [
      ...captured('backend/notices', /\bOutcome\("(\w+)"/g),
      ...captured('backend/notices', /"code": "(\w+)"/g),
      ...captured('backend/notices', /_tell\("(\w+)"/g),
      ...captured('backend/notices', /\("(\w+)", \{"(?:reason|status|seconds)"/g),
      ...captured('backend/notices', /return "(\w+)", \{/g),
      ...captured('backend/notices', /\("(redirected)" if .* else "answered"\)/g),
      ...captured('backend/notices', /\("redirected" if .* else "(answered)"\)/g),
    ]
    expect(new Set(codes).size).toBeGreaterThan(9)
    expect(codes.filter((code) => !(code in noticeTargets.errors))).toEqual([])
  })

  it('every kind of notice', () => {
    const kinds = captured('backend/notices', /^ {4}[A-Z_]+ = "((?:task|dataset|model|disk)_\w+)"/gm)
    expect(kinds.sort()).toEqual(Object.keys(notices.titles).sort())
    expect(kinds).toEqual(Object.keys(notices.details).sort())
    expect(kinds).toEqual(Object.keys(notices.kinds).sort())
  })

  it('every format that is recognised', () => {
    const formats = literals('backend/datasets/importers', 'Importer')
    expect(formats.length).toBeGreaterThan(8)
    expect(formats.filter((format) => !(format in datasets.formats))).toEqual([])
  })
})
