/** Which step is open: in the address bar, never beyond the first thing left; and where the focus goes. */
import { useEffect, useReducer, useRef } from 'react'
import { useSearchParams } from 'react-router'
import type { StepIndex } from './check'

export const fieldId = (field: string) => `field-${field.replaceAll('.', '-')}`
export const HEADING_ID = 'wizard-step'

const FOCUSABLE = 'input:not([disabled]), button:not([disabled]), textarea, [tabindex]'

/** Whether there is such an element, which then has the focus. */
function focus(id: string): boolean {
  const found = document.getElementById(id)
  if (!found) return false
  const inner = found.matches(FOCUSABLE) ? null : found.querySelector<HTMLElement>(FOCUSABLE)
  const target = inner ?? found
  // A heading takes the page back to its top; a field comes into the middle.
  if (id === HEADING_ID) window.scrollTo(0, 0)
  else target.scrollIntoView({ block: 'center' })
  target.focus({ preventScroll: true })
  return true
}

/**
 * The address as it is at this moment, changed: what a rendering has seen may be older when a draft
 * was saved in between.
 */
export function searchWith(changed: Record<string, string | null>): URLSearchParams {
  const search = new URLSearchParams(window.location.search)
  for (const [key, value] of Object.entries(changed)) {
    if (value === null) search.delete(key)
    else search.set(key, value)
  }
  return search
}

export interface Steps {
  step: StepIndex
  /** Opens a step, with the focus on a field of it or on its heading. */
  goTo: (step: StepIndex, field?: string) => void
}

export function useSteps(initial: StepIndex, furthest: StepIndex): Steps {
  const [search, setSearch] = useSearchParams()
  const asked = Number(search.get('step') ?? initial + 1) - 1
  const wanted = Number.isInteger(asked) ? Math.max(0, Math.min(asked, 3)) : 0
  const step = Math.min(wanted, furthest) as StepIndex
  const pending = useRef<{ step: StepIndex; id: string } | null>(null)
  const shown = useRef(step)
  const [, render] = useReducer((n: number) => n + 1, 0)

  const open = (next: StepIndex, replace: boolean) =>
    setSearch(searchWith({ step: String(next + 1) }), { replace })

  // After each rendering: the field may stand on a step that is only now on the page.
  useEffect(() => {
    if (pending.current) {
      if (pending.current.step !== step) return
      // What is only now being unfolded comes with the next rendering.
      if (focus(pending.current.id)) pending.current = null
    } else if (shown.current !== step) {
      // The browser's own back and forward: whoever reads by ear learns where they are.
      focus(HEADING_ID)
    }
    shown.current = step
  })

  // Each step begins at its top, whatever way led there: the browser would scroll past its heading.
  useEffect(() => {
    const before = window.history.scrollRestoration
    window.history.scrollRestoration = 'manual'
    return () => {
      window.history.scrollRestoration = before
    }
  }, [])

  useEffect(() => {
    // Else a step would open by itself as soon as what it waits for is put right.
    if (wanted !== step) open(step, true)
  })

  const goTo: Steps['goTo'] = (next, field) => {
    pending.current = { step: next, id: field ? fieldId(field) : HEADING_ID }
    if (next !== step) open(next, false)
    render()
  }
  return { step, goTo }
}
