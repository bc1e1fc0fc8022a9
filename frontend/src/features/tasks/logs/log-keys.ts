/** The keys of the log. Single letters work only while the log has the focus (WCAG 2.1.4). */
import type { KeyboardEvent } from 'react'

export const KEYS = [
  { signs: ['↑', '↓'], name: 'line' },
  { signs: ['PgUp', 'PgDn'], name: 'page' },
  { signs: ['Home', 'End'], name: 'ends' },
  { signs: ['/', 'Ctrl F'], name: 'search' },
  { signs: ['n', 'Shift N'], name: 'matches' },
  { signs: ['f'], name: 'follow' },
  { signs: ['w'], name: 'wrap' },
  { signs: ['t'], name: 'times' },
  { signs: ['e'], name: 'error' },
  { signs: ['l'], name: 'link' },
  { signs: ['?'], name: 'help' },
] as const

export type KeyAction =
  | { kind: 'rows'; rows: number }
  | { kind: 'pages'; pages: number }
  | { kind: 'start' | 'end' | 'search' | 'next' | 'previous' | 'follow' | 'wrap' | 'times' | 'error' | 'link' | 'help' }

const SINGLE: Record<string, KeyAction> = {
  ArrowUp: { kind: 'rows', rows: -1 },
  ArrowDown: { kind: 'rows', rows: 1 },
  PageUp: { kind: 'pages', pages: -1 },
  PageDown: { kind: 'pages', pages: 1 },
  Home: { kind: 'start' },
  End: { kind: 'end' },
  '/': { kind: 'search' },
  n: { kind: 'next' },
  N: { kind: 'previous' },
  f: { kind: 'follow' },
  w: { kind: 'wrap' },
  t: { kind: 'times' },
  e: { kind: 'error' },
  l: { kind: 'link' },
  '?': { kind: 'help' },
}

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'> & { shiftKey: boolean }

/** What a key does while the log has the focus; null: it is not ours. */
export function actionOf(event: Pressed): KeyAction | null {
  if (event.altKey) return null
  if (event.ctrlKey || event.metaKey) {
    if (event.key === 'Home') return { kind: 'start' }
    if (event.key === 'End') return { kind: 'end' }
    return null
  }
  // Shift with an arrow extends the selection, as everywhere.
  if (event.shiftKey && event.key.length > 1) return null
  return SINGLE[event.key] ?? null
}

export const isFind = ({ key, ctrlKey, metaKey, altKey, shiftKey }: Pressed) =>
  (ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === 'f'
