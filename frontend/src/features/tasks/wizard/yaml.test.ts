/** What is written is what a YAML reader reads. */
import { expect, it } from 'vitest'
import { toYaml } from './yaml'

it('writes mappings, lists and values that keep their type', () => {
  expect(
    toYaml({
      name: 'Support bot',
      odd: 'yes',
      colon: 'a: b',
      number: '2024',
      rate: 2e-7,
      small: 0.0002,
      none: null,
      on: true,
      file: { path: 'data.jsonl', names: ['q_proj', 'null'] },
      zh: '客服',
    }),
  ).toBe(
    [
      'name: Support bot',
      'odd: "yes"',
      'colon: "a: b"',
      'number: "2024"',
      'rate: 2.0e-7',
      'small: 0.0002',
      'none: null',
      'on: true',
      'file:',
      '  path: data.jsonl',
      '  names: ["q_proj", "null"]',
      'zh: 客服',
      '',
    ].join('\n'),
  )
})
