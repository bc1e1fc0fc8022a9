/** History and live lines of a run through one path: load the tail, follow from its end. */
import { useEffect, useRef, useState } from 'react'
import { getLogs, taskUrl, type LogQuery } from '../api'
import {
  append,
  emptyWindow,
  matches,
  prepend,
  type LogFilter,
  type LogLine,
  type LogWindow,
} from './log-lines'
import type { ServerEvent, StreamState } from '@/api/event-stream'
import { useEventStream } from '@/api/use-event-stream'

const PAGE = 1000

/** What is held for one log and filter; `key` says which. */
interface Loaded {
  key: string
  window: LogWindow
  total: number
  matched: number | null
  /** Where the stream begins. */
  next: string
}

export interface LogLines {
  lines: LogLine[]
  /** Lines exist before the first. */
  more: boolean
  loading: boolean
  error: unknown
  /** Lines of the whole log, and those that match the filter when there is one. */
  total: number
  matched: number | null
  state: StreamState
  loadOlder: () => Promise<void>
  reload: () => void
}

function withLines(held: Loaded, newer: LogLine[], filter: LogFilter): Loaded {
  const shown = newer.filter((line) => matches(line, filter))
  return {
    ...held,
    window: append(held.window, shown),
    total: Math.max(held.total, newer.at(-1)?.number ?? 0),
    matched: held.matched === null ? null : held.matched + shown.length,
  }
}

/** `live`: the run still writes. Another task, attempt or filter begins anew. */
export function useLogLines(
  taskId: string,
  attempt: number,
  filter: LogFilter,
  live: boolean,
): LogLines {
  const [held, setHeld] = useState<Loaded | null>(null)
  const [error, setError] = useState<unknown>()
  const [round, setRound] = useState(0)
  const loadingOlder = useRef(false)
  const key = JSON.stringify([taskId, attempt, filter.q, filter.levels, round])
  const loaded = held?.key === key ? held : null

  useEffect(() => {
    const cancel = new AbortController()
    const [id, number, q, levels] = JSON.parse(key) as [string, number, string, LogLine['level'][]]
    getLogs(id, { ...queryOf(number, { q, levels }), tail: true, limit: PAGE }, cancel.signal)
      .then((page) => {
        const { items, total, matched = null, next } = page
        const window = { lines: items, more: items.length === PAGE }
        setError(undefined)
        setHeld({ key, window, total, matched, next })
      })
      .catch((caught: unknown) => {
        if (!cancel.signal.aborted) setError(caught)
      })
    return () => cancel.abort()
  }, [key])

  function onEvents(events: ServerEvent[]): void {
    const lines = events
      .filter(({ type }) => type === 'line')
      .map(({ data }) => JSON.parse(data) as LogLine)
    if (lines.length > 0) {
      setHeld((before) => (before?.key === key ? withLines(before, lines, filter) : before))
    }
    // The server left lines out because they came too fast: load the end again.
    if (events.some(({ type }) => type === 'gap')) setRound((n) => n + 1)
  }

  const url = live && loaded ? `${taskUrl(taskId, 'logs/stream')}?attempt=${attempt}` : null
  const { state } = useEventStream(url, { after: loaded?.next, onEvents, onError: setError })

  async function loadOlder(): Promise<void> {
    const first = loaded?.window.lines[0]
    if (!first || !loaded.window.more || loadingOlder.current) return
    loadingOlder.current = true
    try {
      const query = { ...queryOf(attempt, filter), before: first.id, tail: true, limit: PAGE }
      const { items } = await getLogs(taskId, query)
      setHeld((before) =>
        before?.key === key
          ? { ...before, window: prepend(before.window, items, items.length === PAGE) }
          : before,
      )
    } catch (caught) {
      setError(caught)
    } finally {
      loadingOlder.current = false
    }
  }

  // While another filter loads, what was shown stays: no flicker.
  const shown = loaded ?? held
  return {
    ...(shown?.window ?? emptyWindow),
    total: shown?.total ?? 0,
    matched: shown?.matched ?? null,
    loading: !loaded && error === undefined,
    error,
    state,
    loadOlder,
    reload: () => setRound((n) => n + 1),
  }
}

function queryOf(attempt: number, { q, levels }: LogFilter): LogQuery {
  return { attempt, q: q || undefined, level: levels.length > 0 ? [...levels] : undefined }
}
