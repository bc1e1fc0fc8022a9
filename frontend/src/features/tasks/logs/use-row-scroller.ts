/** A `RowScroller` for a component: its elements, its size, its rows. */
import { useEffect, useLayoutEffect, useMemo, useRef, useSyncExternalStore, type RefObject } from 'react'
import { RowScroller, type Shown } from './row-scroller'

export interface RowScrolling {
  scroller: RowScroller
  shown: Shown
  box: RefObject<HTMLDivElement | null>
  spacer: RefObject<HTMLDivElement | null>
  layer: RefObject<HTMLDivElement | null>
}

export function useRowScroller(count: number, wrap: boolean): RowScrolling {
  const scroller = useMemo(() => new RowScroller(), [])
  const shown = useSyncExternalStore(scroller.subscribe, scroller.getSnapshot)
  const box = useRef<HTMLDivElement>(null)
  const spacer = useRef<HTMLDivElement>(null)
  const layer = useRef<HTMLDivElement>(null)

  useLayoutEffect(() => {
    const [outer, middle, inner] = [box.current, spacer.current, layer.current]
    if (!outer || !middle || !inner) return
    const detach = scroller.attach({
      box: outer,
      spacer: middle,
      layer: inner,
      height: () => inner.offsetHeight,
      offset: (n) => (inner.children[n] as HTMLElement | undefined)?.offsetTop ?? inner.offsetHeight,
    })
    const observer = new ResizeObserver(() => scroller.refresh())
    observer.observe(outer)
    return () => {
      observer.disconnect()
      detach()
    }
  }, [scroller])

  useEffect(() => {
    const element = box.current
    element?.addEventListener('scroll', scroller.onScroll, { passive: true })
    return () => element?.removeEventListener('scroll', scroller.onScroll)
  }, [scroller])

  useLayoutEffect(() => {
    scroller.setRows(count, wrap)
  }, [scroller, count, wrap])

  // After every rendering: a row that was loaded, or is shown in full, may be taller than before.
  useLayoutEffect(() => {
    scroller.rendered(shown)
  })

  return { scroller, shown, box, spacer, layer }
}
