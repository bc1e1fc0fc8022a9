import { describe, expect, it } from 'vitest'
import { grouped } from './grouping'
import { endingOf, pastedFile } from './pasted'

describe('pasted text', () => {
  it.each([
    ['{"a": 1}\n{"a": 2}\n', 'jsonl'],
    ['\r\n{"a": 1}\r\n', 'jsonl'],
    ['[{"a": 1},\n{"a": 2}]', 'json'],
    ['{\n"a": [1]\n}', 'json'],
    ['{"a": 1}\n{broken', 'txt'],
    ['a\tb\n1\t2', 'tsv'],
    ['prompt,completion\nx,y\n', 'csv'],
    ['Well, this is\na text, with, commas', 'txt'],
    ['one line, with a comma', 'txt'],
    ['[not json', 'txt'],
    ['7', 'txt'],
  ])('%j is a %s file', (text, ending) => {
    expect(endingOf(text)).toBe(ending)
  })

  it('keeps every character', async () => {
    const file = pastedFile('  你好\n\tworld ', 'pasted')
    expect(file?.name).toBe('pasted.txt')
    expect(await file?.text()).toBe('  你好\n\tworld ')
    expect(pastedFile(' \n\t', 'pasted')).toBeNull()
  })
})

describe('files that were dropped together', () => {
  const files = (...names: string[]) => names.map((name) => new File(['x'], name))
  const names = (groups: File[][]) => groups.map((group) => group.map(({ name }) => name))

  it('are a data set each', () => {
    expect(names(grouped(files('a.csv', 'b.json')))).toEqual([['a.csv'], ['b.json']])
    expect(grouped([])).toEqual([])
  })

  it('are one when one of them describes the others', () => {
    expect(names(grouped(files('a.json', 'dataset_info.json')))).toEqual([
      ['a.json', 'dataset_info.json'],
    ])
  })
})
