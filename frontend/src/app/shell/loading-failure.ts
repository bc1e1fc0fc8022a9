/** Files of a page that could not be loaded: the server was away, or has a newer version now. */
import { onConnectionChange, probeNow, reportUnreachable } from '@/api/connection'

const RELOADED_KEY = 'easytune.reloaded-at'
/** A second failure within this time is no passing one: stop reloading. */
const PATIENCE_MS = 20_000

// Chromium, Firefox, Safari, and Vite for style sheets.
const MESSAGES =
  /dynamically imported module|Importing a module script failed|Unable to preload CSS/i

export const isLoadingFailure = (error: unknown): boolean =>
  error instanceof Error && MESSAGES.test(error.message)

/** Whether a reload may help: not when one has just been tried. */
export function mayReload(now: number, store: Pick<Storage, 'getItem' | 'setItem'>): boolean {
  const last = Number(store.getItem(RELOADED_KEY) ?? 0)
  if (now - last < PATIENCE_MS) return false
  store.setItem(RELOADED_KEY, String(now))
  return true
}

/** Asks whether the server is there, and reloads the page when it is. */
export function reloadWhenPossible(): () => void {
  const stop = onConnectionChange((reachable) => {
    if (reachable && mayReload(Date.now(), sessionStorage)) window.location.reload()
  })
  reportUnreachable()
  probeNow()
  return stop
}
