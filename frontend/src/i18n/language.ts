/** Which language is shown: chosen by the user and kept, else what the browser prefers. */
import type { Locale } from 'antd/es/locale'
import { createInstance, type i18n } from 'i18next'
import { useSyncExternalStore } from 'react'
import { initReactI18next } from 'react-i18next'
import { bestLanguage, languages, type LanguageCode } from './languages'

const STORAGE_KEY = 'easytune.language'

interface Current {
  code: LanguageCode
  antd: Locale
}

export const texts: i18n = createInstance()

let current: Current | undefined
const listeners = new Set<() => void>()

function stored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY)
  } catch {
    return null
  }
}

async function load(code: LanguageCode): Promise<Current> {
  const [words, antd] = await Promise.all([languages[code].texts(), languages[code].antd()])
  texts.addResourceBundle(code, 'translation', words.default, true, true)
  return { code, antd: antd.default }
}

async function show(next: Current): Promise<void> {
  await texts.changeLanguage(next.code)
  current = next
  document.documentElement.lang = next.code
  listeners.forEach((listener) => listener())
}

/** Before the first rendering: the language that is shown is loaded, the others are not. */
export async function startLanguage(): Promise<void> {
  const choice = stored()
  const code = bestLanguage(choice ? [choice] : navigator.languages)
  await texts.use(initReactI18next).init({
    lng: code,
    fallbackLng: false,
    resources: {},
    interpolation: { escapeValue: false }, // React escapes
    returnNull: false,
  })
  await show(await load(code))
}

/** Shows another language and remembers it on this device. */
export async function changeLanguage(code: LanguageCode): Promise<void> {
  await show(await load(code))
  try {
    localStorage.setItem(STORAGE_KEY, code)
  } catch {
    // Closed storage: the choice holds until the page is left.
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The language shown, with Ant Design's own texts in it. */
export function useLanguage(): Current {
  const now = useSyncExternalStore(subscribe, () => current)
  if (!now) throw new Error('startLanguage() must run before the first rendering')
  return now
}
