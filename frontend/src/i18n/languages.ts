/** The languages of the app. A new one is one line here and one folder like `en/`. */
import type { Locale } from 'antd/es/locale'
import type { Translation } from './translation'

export interface Language {
  /** Its own name for itself. */
  name: string
  /** What fits on a small button. */
  short: string
  texts: () => Promise<{ default: Translation }>
  antd: () => Promise<{ default: Locale }>
}

export const languages = {
  en: {
    name: 'English',
    short: 'EN',
    texts: () => import('./en'),
    antd: () => import('antd/es/locale/en_US'),
  },
  'zh-CN': {
    name: '简体中文',
    short: '中',
    texts: () => import('./zh-cn'),
    antd: () => import('antd/es/locale/zh_CN'),
  },
} satisfies Record<string, Language>

export type LanguageCode = keyof typeof languages

export const languageCodes = Object.keys(languages) as LanguageCode[]

/** The language that fits best: `zh-Hans-SG` → `zh-CN`; English when none does. */
export function bestLanguage(wanted: readonly string[]): LanguageCode {
  for (const tag of wanted) {
    const exact = languageCodes.find((code) => code.toLowerCase() === tag.toLowerCase())
    if (exact) return exact
    const base = tag.split('-')[0]?.toLowerCase()
    const near = languageCodes.find((code) => code.split('-')[0] === base)
    if (near) return near
  }
  return 'en'
}
