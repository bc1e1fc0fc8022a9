/** Binds a `RowScroller` to the elements of a component, their size and the rows in them. */
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore, type RefObject } from 'react'
import type { RowScroller } from './row-scroller'
import type { Shown } from './scroll-scale'

interface Elements {
  box: RefObject<HTMLDivElement | null>
  layer: RefObject<HTMLDivElement | null>
}

export function useRowScroller(
  scroller: RowScroller,
  { box, layer }: Elements,
  count: number,
  wrap: boolean,
): { shown: Shown; spacer: RefObject<HTMLDivElement | null> } {
  const shown = useSyncExternalStore(scroller.subscribe, scroller.getSnapshot)
  const spacer = useRef<HTMLDivElement>(null)

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
  }, [scroller, box, layer])

  useEffect(() => {
    const element = box.current
    element?.addEventListener('scroll', scroller.onScroll, { passive: true })
    return () => element?.removeEventListener('scroll', scroller.onScroll)
  }, [scroller, box])

  useLayoutEffect(() => {
    scroller.setRows(count, wrap)
  }, [scroller, count, wrap])

  // After every rendering: a row that was loaded, or is shown in full, may be taller than before.
  useLayoutEffect(() => {
    scroller.rendered(shown)
  })

  return { shown, spacer }
}

/** A part of the state of a scroller, a plain value. */
export function useScrollState<T extends number | boolean>(
  scroller: RowScroller,
  select: (shown: Shown) => T,
): T {
  return useSyncExternalStore(scroller.subscribe, () => select(scroller.getSnapshot()))
}
