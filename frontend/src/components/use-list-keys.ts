/**
 * Single keys for a list: `/` searches, `j` and `k` move the focus from row to row, as the arrows do
 * once a row has it, `x` chooses it; Enter opens as on any link. They can be switched off (WCAG
 * 2.1.4) and leave fields and dialogs alone.
 */
import { useEffect, useState } from 'react'

const STORAGE_KEY = 'easytune.list-keys'
/** On the element of each row that takes the focus. */
export const ROW_LINK = 'data-row-link'

const TYPING = 'input, textarea, select, [contenteditable="true"], [role="dialog"], [role="listbox"]'

/** Whether a key pressed there is meant for the list. */
function isOurs(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false
  const target = event.target instanceof Element ? event.target : null
  if (target?.closest('[role="dialog"], [role="listbox"]')) return false
  // A checkbox of a row is a field, but nobody types into it.
  return !target?.matches(TYPING) || target.matches('input[type="checkbox"]')
}

/** Focuses the row after (+1) or before (-1) the one that has the focus. */
function move(list: HTMLElement, by: number): void {
  const rows = [...list.querySelectorAll<HTMLElement>(`[${ROW_LINK}]`)]
  const row = document.activeElement?.closest('tr, li')
  const current = rows.findIndex((each) => row?.contains(each))
  const next = current < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, current + by))
  rows[next]?.focus()
}

/** Chooses the row that has the focus, or gives it up. */
function mark(list: HTMLElement): void {
  const row = document.activeElement?.closest('tbody tr, li')
  if (list.contains(row ?? null)) row?.querySelector<HTMLInputElement>('input[type="checkbox"]')?.click()
}

function handle(event: KeyboardEvent, list: HTMLElement | null): void {
  if (!list || !isOurs(event)) return
  const inList = Boolean(document.activeElement?.matches(`[${ROW_LINK}]`))
  if (event.key === 'j' || (inList && event.key === 'ArrowDown')) move(list, 1)
  else if (event.key === 'k' || (inList && event.key === 'ArrowUp')) move(list, -1)
  else if (event.key === 'x') mark(list)
  else if (event.key === '/') list.querySelector<HTMLInputElement>('input[type="search"]')?.focus()
  else return
  event.preventDefault()
}

export function useListKeys(list: { current: HTMLElement | null }) {
  const [on, setOn] = useState(() => localStorage.getItem(STORAGE_KEY) !== 'off')
  useEffect(() => {
    if (!on) return
    const listener = (event: KeyboardEvent) => handle(event, list.current)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [on, list])
  return {
    on,
    set: (next: boolean) => {
      localStorage.setItem(STORAGE_KEY, next ? 'on' : 'off')
      setOn(next)
    },
  }
}
