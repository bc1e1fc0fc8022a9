/** Whether somebody may look at the page: false once its tab has been hidden for a while. */
import { useEffect, useState } from 'react'

/** Long enough for a glance at another tab. */
export const HIDDEN_MS = 20_000

export function useSeen(): boolean {
  const [seen, setSeen] = useState(true)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = () => {
      clearTimeout(timer)
      if (document.visibilityState === 'hidden') timer = setTimeout(() => setSeen(false), HIDDEN_MS)
      else setSeen(true)
    }
    look()
    document.addEventListener('visibilitychange', look)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [])
  return seen
}
