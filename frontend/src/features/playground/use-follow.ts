/** Keeps the end of a growing conversation in view, unless the reader has scrolled away from it. */
import { useEffect, useRef, type RefObject } from 'react'
import type { Turn } from './conversation'

/** How far the end may lie below the window and still count as in view: some lines of an answer. */
const NEAR_PX = 120

export function useFollow(end: RefObject<HTMLElement | null>, turns: readonly Turn[]): void {
  const known = useRef(0)
  useEffect(() => {
    const place = end.current
    if (!place || turns.length === 0) return
    const asked = turns.length > known.current
    known.current = turns.length
    const near = place.getBoundingClientRect().top < window.innerHeight + NEAR_PX
    if (asked || near) place.scrollIntoView({ block: 'nearest' })
  }, [end, turns])
}
