/** The rows of a log for a component: history and live lines through one model. */
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { logUrl, type Gap, type LogLine, type Params } from './log-api'
import { LogRows, type RowsState } from './log-rows-model'
import { sourceOf } from './row-source'
import type { ServerEvent, StreamState } from '@/api/event-stream'
import { useEventStream } from '@/api/use-event-stream'

/** A part of the state of `rows`, a plain value: rendered again only when it is another. */
export function useRowsState<T extends string | number | boolean | null>(
  rows: LogRows,
  select: (state: RowsState) => T,
): T {
  return useSyncExternalStore(rows.subscribe, () => select(rows.getSnapshot()))
}

/** `filter` as of `hidingParams`; `live`: the run still writes. */
export function useLogRows(
  task: string,
  attempt: number,
  filter: Params,
  live: boolean,
): { rows: LogRows; stream: StreamState } {
  const key = JSON.stringify(filter)
  const rows = useMemo(
    () => new LogRows(sourceOf(task, attempt, JSON.parse(key) as Params)),
    [task, attempt, key],
  )
  const opened = useRowsState(rows, (state) => state.opened)
  const after = useRowsState(rows, (state) => state.next)

  useEffect(() => {
    void rows.open()
    return () => rows.close()
  }, [rows])

  function onEvents(events: ServerEvent[]): void {
    let lines: LogLine[] = []
    for (const { type, data } of events) {
      if (type === 'line') lines.push(JSON.parse(data) as LogLine)
      else if (type === 'gap') {
        rows.arrived(inTime(lines, filter))
        lines = []
        rows.leftOut(JSON.parse(data) as Gap)
      }
    }
    if (lines.length > 0) rows.arrived(inTime(lines, filter))
  }

  const streamed = { ...filter, since: undefined, until: undefined }
  const url = live && opened ? logUrl(task, 'stream', { attempt, ...streamed }) : null
  const { state: stream } = useEventStream(url, { after, onEvents })
  return { rows, stream }
}

/** The stream knows no time range. */
function inTime(lines: LogLine[], { since, until }: Params): LogLine[] {
  if (!since && !until) return lines
  return lines.filter(
    ({ at }) =>
      (!since || Date.parse(at) >= Date.parse(String(since))) &&
      (!until || Date.parse(at) <= Date.parse(String(until))),
  )
}
