/** Every language says everything that English says, with the same variables. */
import { describe, expect, it } from 'vitest'
import en from './en'
import { bestLanguage, languageCodes, languages } from './languages'

type Texts = { [key: string]: string | Texts }

/** `a.b` → text, without the singular forms that only some languages have. */
function flat(texts: Texts, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string') {
      if (!key.endsWith('_one')) found.set(prefix + key, value)
    } else for (const [inner, text] of flat(value, `${prefix}${key}.`)) found.set(inner, text)
  }
  return found
}

const variables = (text: string) => [...text.matchAll(/{{\s*(\w+)/g)].map((m) => m[1]).sort()

const english = flat(en)

describe.each(languageCodes.filter((code) => code !== 'en'))('%s', (code) => {
  it('has the keys of English, no more and no less', async () => {
    const texts = flat((await languages[code].texts()).default)
    expect([...texts.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('uses the variables of English', async () => {
    const texts = flat((await languages[code].texts()).default)
    for (const [key, text] of texts) {
      expect([key, variables(text)]).toEqual([key, variables(english.get(key) ?? '')])
    }
  })

  it('is translated: no sentence is still English', async () => {
    const texts = flat((await languages[code].texts()).default)
    const same = [...texts].filter(([key, text]) => /[a-z]+ [a-z]+ [a-z]+/i.test(text) && text === english.get(key))
    expect(same).toEqual([])
  })
})

it('gives plural keys both English forms', () => {
  const keys = new Set<string>()
  const collect = (texts: Texts, prefix = '') => {
    for (const [key, value] of Object.entries(texts)) {
      if (typeof value === 'string') keys.add(prefix + key)
      else collect(value, `${prefix}${key}.`)
    }
  }
  collect(en)
  for (const key of keys) {
    if (key.endsWith('_other')) expect(keys).toContain(key.replace(/_other$/, '_one'))
    if (key.endsWith('_one')) expect(keys).toContain(key.replace(/_one$/, '_other'))
  }
})

it.each([
  [['zh-CN'], 'zh-CN'],
  [['zh-Hans-SG', 'en'], 'zh-CN'],
  [['fr-FR', 'zh'], 'zh-CN'],
  [['de-DE'], 'en'],
  [['en-GB', 'zh-CN'], 'en'],
  [[], 'en'],
])('for a browser that prefers %j shows %s', (wanted, expected) => {
  expect(bestLanguage(wanted)).toBe(expected)
})
