/**
 * Whether the server still knows us. An expired session keeps the page: the app shows a sign-in
 * dialog above it and goes on where the user was.
 */
import { useSyncExternalStore } from 'react'

let expired = false
const listeners = new Set<() => void>()

function set(value: boolean): void {
  if (expired === value) return
  expired = value
  listeners.forEach((listener) => listener())
}

/** The server answered 401 to a page that was signed in. */
export const markExpired = () => set(true)

/** Signed in again. */
export const markSignedIn = () => set(false)

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** True after a 401 until the user has signed in again. */
export function useSessionExpired(): boolean {
  return useSyncExternalStore(subscribe, () => expired)
}
