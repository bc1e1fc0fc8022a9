/** Light or dark: as the system says, unless the user chose. `first-paint.js` reads the same key. */
import { useSyncExternalStore } from 'react'

export const themeChoices = ['system', 'light', 'dark'] as const
export type ThemeChoice = (typeof themeChoices)[number]
export type ThemeMode = 'light' | 'dark'

const STORAGE_KEY = 'easytune.theme'
const systemDark = window.matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()
let choice: ThemeChoice = read()

function read(): ThemeChoice {
  try {
    const stored = localStorage.getItem(STORAGE_KEY)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    return 'system'
  }
}

function mode(): ThemeMode {
  if (choice !== 'system') return choice
  return systemDark.matches ? 'dark' : 'light'
}

function tell(): void {
  document.documentElement.dataset.theme = mode()
  listeners.forEach((listener) => listener())
}

systemDark.addEventListener('change', tell)

/** Chooses and remembers on this device. */
export function chooseTheme(next: ThemeChoice): void {
  choice = next
  try {
    if (next === 'system') localStorage.removeItem(STORAGE_KEY)
    else localStorage.setItem(STORAGE_KEY, next)
  } catch {
    // Closed storage: the choice holds until the page is left.
  }
  tell()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useThemeMode = () => useSyncExternalStore(subscribe, mode)
export const useThemeChoice = () => useSyncExternalStore(subscribe, () => choice)
