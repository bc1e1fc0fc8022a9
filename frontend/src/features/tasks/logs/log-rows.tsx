/** The box that scrolls and the rows in it that are seen, with what a click on them does. */
import { useEffect, useState, useSyncExternalStore, type ClipboardEvent, type MouseEvent, type ReactNode, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { LogRow, MissingRow } from './log-row'
import type { LogRows } from './log-rows-model'
import { contains, type LineRange } from './permalink'
import type { RowLook } from './row-look'
import type { RowScroller } from './row-scroller'
import { useRowScroller } from './use-row-scroller'

const GAP_ASKS_EVERY = 20

interface Props {
  rows: LogRows
  scroller: RowScroller
  box: RefObject<HTMLDivElement | null>
  layer: RefObject<HTMLDivElement | null>
  look: RowLook
  marked: LineRange | null
  /** The match that is looked at. */
  current: number | null
  onNumber: (number: number, extend: boolean) => void
  onCopy: (event: ClipboardEvent) => void
  children: ReactNode
}

export function LogRowList({ rows, scroller, box, layer, look, marked, current, onNumber, onCopy, children }: Props) {
  const { t } = useTranslation()
  const state = useSyncExternalStore(rows.subscribe, rows.getSnapshot)
  const { shown, spacer } = useRowScroller(scroller, { box, layer }, state.count, look.wrap)
  const [whole, setWhole] = useState<ReadonlySet<string>>(new Set())

  useEffect(() => {
    rows.want(shown.first, shown.last)
  }, [rows, shown.first, shown.last, state.count])

  function onClick(event: MouseEvent): void {
    const { dataset } = (event.target as HTMLElement).closest<HTMLElement>('[data-number],[data-whole],[data-gap]') ?? {}
    if (dataset?.number) {
      event.preventDefault()
      onNumber(Number(dataset.number), event.shiftKey)
    } else if (dataset?.whole) {
      const next = new Set(whole)
      if (!next.delete(dataset.whole)) next.add(dataset.whole)
      setWhole(next)
    } else if (dataset?.gap) {
      const gap = state.gaps.find(({ first_number: first }) => String(first) === dataset.gap)
      if (gap) rows.openGap(gap)
    }
  }

  /** Dates are long to write: only where somebody looks. */
  function onMouseOver({ target }: MouseEvent): void {
    if (target instanceof HTMLTimeElement && !target.title) target.title = look.fullTime(target.dateTime)
  }

  const listed: ReactNode[] = []
  for (let row = shown.first; row < Math.min(shown.last, state.count); row++) {
    const line = rows.row(row)
    if (line) {
      const { number } = line
      const classes = `${contains(marked, number) ? ' log-marked' : ''}${number === current ? ' log-current' : ''}`
      listed.push(<LogRow key={row} row={row} line={line} look={look} state={classes} whole={whole.has(line.id)} />)
    } else {
      const gap = rows.gapAt(row)
      const asks = gap !== undefined && (row + 1 === gap.first_number || row % GAP_ASKS_EVERY === 0)
      listed.push(<MissingRow key={row} row={row} number={rows.source.plain ? row + 1 : null} gap={gap} asks={asks} look={look} />)
    }
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- what is clicked are links and buttons in it
    <div
      ref={box}
      className={look.wrap ? 'log-box log-wraps' : 'log-box'}
      role="log"
      aria-live="off"
      aria-label={t('logs.title')}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard
      tabIndex={0}
      onClick={onClick}
      // eslint-disable-next-line jsx-a11y/mouse-events-have-key-events -- a tooltip; rows take no focus
      onMouseOver={onMouseOver}
      onCopy={onCopy}
    >
      {children}
      <div ref={spacer} className="log-spacer">
        <div ref={layer} className="log-layer">
          {listed}
        </div>
      </div>
    </div>
  )
}
