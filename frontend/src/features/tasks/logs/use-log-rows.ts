/** The rows of a log for a component: history and live lines through one model. */
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { logUrl, type Gap, type LogLine, type Params } from './log-api'
import { LogRows, type RowsState } from './log-rows-model'
import { sourceOf } from './row-source'
import type { ServerEvent, StreamState } from '@/api/event-stream'
import { useEventStream } from '@/api/use-event-stream'

export interface LogRowsView {
  rows: LogRows
  state: RowsState
  stream: StreamState
}

/** `filter` as of `hidingParams`; `live`: the run still writes. */
export function useLogRows(task: string, attempt: number, filter: Params, live: boolean): LogRowsView {
  const key = JSON.stringify(filter)
  const rows = useMemo(
    () => new LogRows(sourceOf(task, attempt, JSON.parse(key) as Params)),
    [task, attempt, key],
  )
  const state = useSyncExternalStore(rows.subscribe, rows.getSnapshot)

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
  const url = live && state.opened ? logUrl(task, 'stream', { attempt, ...streamed }) : null
  const { state: stream } = useEventStream(url, { after: state.next, onEvents })
  return { rows, state, stream }
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
