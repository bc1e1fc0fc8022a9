/** Copying selected lines, also those that are not in the page, and links. */
import { App } from 'antd'
import { useEffect, useRef, type ClipboardEvent, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import type { LogRows } from './log-rows-model'
import { ordered, placeOf, textOf, type TextPlace } from './log-selection'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

const MAX_LINES = 20_000

/** Puts text on the clipboard; false where the browser does not allow it (plain HTTP). */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyOldWay(text)
  }
}

/** Works without a secure context, as long as a click or a key is being answered. */
function copyOldWay(text: string): boolean {
  const put = (event: globalThis.ClipboardEvent) => {
    event.preventDefault()
    event.stopImmediatePropagation()
    event.clipboardData?.setData('text/plain', text)
  }
  document.addEventListener('copy', put, { capture: true, once: true })
  const done = document.execCommand('copy')
  document.removeEventListener('copy', put, { capture: true })
  return done
}

export function useLogCopy(layer: RefObject<HTMLElement | null>, rows: LogRows) {
  const { t } = useTranslation()
  const format = useFormat()
  const { message } = App.useApp()
  const showError = useShowError()
  const selected = useRef<{ anchor: TextPlace; focus: TextPlace } | null>(null)

  useEffect(() => {
    function remember(): void {
      const selection = document.getSelection()
      const inside = (node: Node | null) => node !== null && (layer.current?.contains(node) ?? false)
      if (!selection || (!inside(selection.anchorNode) && !inside(selection.focusNode))) {
        selected.current = null
        return
      }
      const anchor = placeOf(selection.anchorNode, selection.anchorOffset) ?? selected.current?.anchor
      const focus = placeOf(selection.focusNode, selection.focusOffset) ?? selected.current?.focus
      selected.current = anchor && focus ? { anchor, focus } : null
    }
    document.addEventListener('selectionchange', remember)
    return () => document.removeEventListener('selectionchange', remember)
  }, [layer])

  async function copyUnloaded(first: number, last: number, text: (lines: Awaited<ReturnType<LogRows['lines']>>) => string) {
    const done = message.loading(t('logs.copy.loading'), 0)
    try {
      const copied = await copyText(text(await rows.lines(first, last)))
      if (copied) message.success(t('logs.copy.done', { count: last - first, shown: format.number(last - first) }))
      else message.error(t('general.copyFailed'))
    } catch (error) {
      showError(error)
    } finally {
      done()
    }
  }

  function onCopy(event: ClipboardEvent): void {
    if (!selected.current) return
    const range = ordered(selected.current.anchor, selected.current.focus)
    const count = range.to.row - range.from.row + 1
    if (count === 1 && range.from.offset === range.to.offset) return
    event.preventDefault()
    if (count > MAX_LINES) {
      message.warning(t('logs.copy.tooMany', { limit: format.number(MAX_LINES) }))
      return
    }
    const lines = Array.from({ length: count }, (_, n) => rows.row(range.from.row + n))
    if (lines.every(Boolean)) event.clipboardData.setData('text/plain', textOf(lines, range))
    else void copyUnloaded(range.from.row, range.to.row + 1, (loaded) => textOf(loaded, range))
  }

  async function copyLink(): Promise<void> {
    if (await copyText(window.location.href)) message.success(t('logs.copy.link'))
    else message.info(t('logs.copy.linkInAddress'))
  }

  /** Everything that is shown, to be copied. */
  function selectAll(): void {
    if (!layer.current) return
    document.getSelection()?.selectAllChildren(layer.current)
    const last = rows.getSnapshot().count - 1
    selected.current = { anchor: { row: 0, offset: 0 }, focus: { row: last, offset: Infinity } }
  }

  return { onCopy, copyLink, selectAll }
}
