/** The log as one thing: rows, search, sections and scrolling, and how one leads to another. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useMemo, useRef } from 'react'
import { taskQuery } from '../api'
import { getSections } from './log-api'
import { hidingParams, searchParams } from './log-state'
import { RowScroller } from './row-scroller'
import { useLogRows, useRowsState } from './use-log-rows'
import { useLogSearch } from './use-log-search'
import { useLogState } from './use-log-state'

const SECTIONS_MS = 10_000

export function useLogView(task: string, attempts: number, live: boolean) {
  const address = useLogState()
  const { state: asked, marked } = address
  const attempt = asked.attempt >= 1 && asked.attempt <= attempts ? asked.attempt : attempts
  const writing = live && attempt === attempts
  const filter = hidingParams(asked)
  const { rows, stream } = useLogRows(task, attempt, filter, writing)
  const opened = useRowsState(rows, (state) => state.opened)
  const scroller = useMemo(() => new RowScroller(), [])

  const { data: failed } = useQuery({ ...taskQuery(task), select: ({ status }) => status === 'FAILED' })
  const { data: sections, isPending: sectionsPending } = useQuery({
    queryKey: ['tasks', 'one', task, 'logs', 'sections', attempt],
    queryFn: ({ signal }) => getSections(task, attempt, signal),
    refetchInterval: writing ? SECTIONS_MS : false,
    retry: false,
  })

  /** Shows the line with this number, or the next one that is not hidden. */
  async function showLine(number: number, align: 'start' | 'center' = 'center'): Promise<void> {
    const row = await rows.source.rowOf(number).catch(() => null)
    if (row !== null) scroller.goTo(Math.min(row, Math.max(0, rows.getSnapshot().count - 1)), align)
  }

  const topNumber = () =>
    rows.row(scroller.top)?.number ?? (rows.source.plain ? scroller.top + 1 : 1)

  const search = useLogSearch({
    task,
    attempt,
    query: asked.search.q ? { ...filter, ...searchParams(asked.search) } : null,
    live: writing,
    from: topNumber,
    onFound: (number) => void showLine(number),
  })

  // Where a log opens: at the lines of a link, where one was before a filter changed, at the first
  // error of a failed run, else at its end.
  const placed = useRef<{ rows: typeof rows; number: number | null } | null>(null)
  const firstError = failed ? (sections?.first_error?.number ?? null) : null
  const begin = useEffectEvent(() => {
    const before = placed.current
    if (before?.rows === rows) return
    placed.current = { rows, number: null }
    if (marked) void showLine(marked.first)
    else if (before && before.number !== null && !scroller.getSnapshot().following) void showLine(before.number, 'start')
    else if (firstError !== null) void showLine(firstError)
    else scroller.follow(true)
  })
  const ready = opened && (failed === false || live || !sectionsPending)
  useEffect(() => {
    if (ready) begin()
  }, [ready, rows])
  const remember = useEffectEvent(() => {
    if (placed.current?.rows === rows) placed.current.number = topNumber()
  })
  useEffect(() => scroller.subscribe(() => remember()), [scroller])

  function isSeen(number: number): boolean {
    const shown = scroller.getSnapshot()
    for (let row = shown.first; row < shown.last; row++) if (rows.row(row)?.number === number) return true
    return false
  }

  // Another link to lines of the same log.
  const jump = useEffectEvent(() => {
    if (marked && placed.current?.rows === rows && !isSeen(marked.first)) void showLine(marked.first)
  })
  useEffect(() => jump(), [marked?.first, marked?.last])

  return {
    address, attempt, writing, filter, rows, stream, scroller, search, sections, showLine, topNumber,
    filtering: Object.keys(filter).length > 0,
  }
}

export type LogView = ReturnType<typeof useLogView>
