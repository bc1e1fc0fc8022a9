/** Notifications of the browser itself: asked for once, kept on this device. */
import { useSyncExternalStore } from 'react'

const STORAGE_KEY = 'easytune.browser-notifications'
const listeners = new Set<() => void>()

export type BrowserState = 'missing' | 'denied' | 'off' | 'on'

function wanted(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'on'
  } catch {
    return false
  }
}

function state(): BrowserState {
  // Only pages of https or of this machine may show any.
  if (typeof Notification === 'undefined' || !window.isSecureContext) return 'missing'
  if (Notification.permission === 'denied') return 'denied'
  return wanted() && Notification.permission === 'granted' ? 'on' : 'off'
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useBrowserState = () => useSyncExternalStore(subscribe, state)

/** Switches them on, for which the browser may ask the user, or off. */
export async function chooseBrowserNotifications(on: boolean): Promise<void> {
  if (on && (await Notification.requestPermission()) !== 'granted') on = false
  try {
    localStorage.setItem(STORAGE_KEY, on ? 'on' : 'off')
  } catch {
    // Closed storage: they stay off.
  }
  listeners.forEach((listener) => listener())
}

/** Shows one when they are on; several tabs show the same one only once. */
export function showBrowserNotification(id: string, title: string, body: string, open: () => void): void {
  if (state() !== 'on') return
  try {
    const shown = new Notification(title, { body, tag: id, icon: '/favicon.svg' })
    shown.onclick = () => {
      window.focus()
      open()
      shown.close()
    }
  } catch {
    // Some mobile browsers know the name and not the constructor.
  }
}
