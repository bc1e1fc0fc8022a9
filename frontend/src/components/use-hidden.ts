/** Whether the tab is hidden: behind another one, or its window minimised. */
import { useSyncExternalStore } from 'react'

function subscribe(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener)
  return () => document.removeEventListener('visibilitychange', listener)
}

export const useHidden = () => useSyncExternalStore(subscribe, () => document.hidden)
