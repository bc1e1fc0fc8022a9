/** The viewer over the whole window: what lies behind can not be reached while it does. */
import { useEffect, useState, type RefObject } from 'react'

/** Everything beside `element` and its ancestors within the app. */
function others(element: Element): Element[] {
  const found: Element[] = []
  for (let each: Element | null = element; each && each.id !== 'root'; each = each.parentElement) {
    for (const sibling of each.parentElement?.children ?? []) if (sibling !== each) found.push(sibling)
  }
  return found.filter((each) => !each.hasAttribute('inert'))
}

export function useFullScreen(section: RefObject<HTMLElement | null>) {
  const [full, setFull] = useState(false)
  useEffect(() => {
    if (!full || !section.current) return
    const hidden = others(section.current)
    for (const each of hidden) each.setAttribute('inert', '')
    document.documentElement.classList.add('log-full-page')
    return () => {
      for (const each of hidden) each.removeAttribute('inert')
      document.documentElement.classList.remove('log-full-page')
    }
  }, [full, section])
  return { full, setFull }
}
