/**
 * Whether the server answers. Any call that gets no answer starts a watch on `/healthz`; when that
 * answers, everybody who asked to be told is told, and the page refreshes by itself. A call that
 * waits long makes us ask `/healthz`, too: a server that hangs refuses nothing.
 */
import { useSyncExternalStore } from 'react'

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 8000
/** A call may take long; without a word for this long, the server has to show that it lives. */
export const SLOW_MS = 6000

let reachable = true
let wait = FIRST_WAIT_MS
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<(reachable: boolean) => void>()

function set(value: boolean): void {
  if (reachable === value) return
  reachable = value
  listeners.forEach((listener) => listener(value))
}

async function probe(): Promise<void> {
  timer = undefined
  try {
    const answer = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5000) })
    if (answer.ok) {
      wait = FIRST_WAIT_MS
      set(true)
      return
    }
  } catch {
    // Still away: ask again later.
  }
  set(false)
  schedule()
}

function schedule(): void {
  if (timer !== undefined) return
  timer = setTimeout(() => void probe(), wait * (0.75 + Math.random() / 2))
  wait = Math.min(wait * 1.6, LONGEST_WAIT_MS)
}

/** A call got no answer, or 502–504. */
export function reportUnreachable(): void {
  set(false)
  schedule()
}

/** A call begins; call what it returns when the answer has come, or none will. */
export function expectAnswer(): () => void {
  const watch = setInterval(() => {
    if (reachable) void probe()
  }, SLOW_MS)
  return () => clearInterval(watch)
}

/** A call got an answer. */
export function reportReachable(): void {
  if (reachable) return
  clearTimeout(timer)
  timer = undefined
  wait = FIRST_WAIT_MS
  set(true)
}

/** Ask now instead of at the next turn. */
export function probeNow(): void {
  clearTimeout(timer)
  void probe()
}

export function onConnectionChange(listener: (reachable: boolean) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** False while the server does not answer. */
export function useReachable(): boolean {
  return useSyncExternalStore(onConnectionChange, () => reachable)
}
