/**
 * Server-sent events over fetch: our own back-off, resume by id, and answers we can read (EventSource
 * hides the status). Events arrive in batches, one per chunk of the network, to spare renderings.
 */
import { checkAnswer, noAnswer, watchedFetch } from './client'
import { isTemporary } from './errors'

export interface ServerEvent {
  id: string
  type: string
  data: string
}

export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'closed'

export interface StreamOptions {
  /** Address without `after`. */
  url: string
  /** Id after which to begin; empty: from the start. */
  after?: string
  onEvents: (events: ServerEvent[]) => void
  onState: (state: StreamState) => void
  /** The stream can not go on: 404, 401 … */
  onError?: (error: unknown) => void
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
/** The server pings every 15 s; silence for three pings means a dead connection. */
const SILENCE_MS = 45_000

/** Takes text in any pieces, gives the events that are complete (HTML standard, 9.2.6). */
export class EventParser {
  retryMs: number | undefined
  private buffer = ''
  private id = ''
  private type = ''
  private data: string[] = []

  push(text: string): ServerEvent[] {
    this.buffer += text
    // A trailing CR may be half of a CRLF: keep it until the next piece.
    const held = this.buffer.endsWith('\r') ? '\r' : ''
    const lines = this.buffer.slice(0, this.buffer.length - held.length).split(/\r\n|\n|\r/)
    this.buffer = (lines.pop() ?? '') + held
    const events: ServerEvent[] = []
    for (const line of lines) {
      if (line === '') this.dispatch(events)
      else this.field(line)
    }
    return events
  }

  private field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return // a comment: the ping
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') this.data.push(value)
    else if (name === 'event') this.type = value
    else if (name === 'id' && !value.includes('\0')) this.id = value
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value)
  }

  private dispatch(events: ServerEvent[]): void {
    if (this.data.length > 0) {
      events.push({ id: this.id, type: this.type || 'message', data: this.data.join('\n') })
    }
    this.type = ''
    this.data = []
  }
}

/** Batches of events until the answer ends; use it for streams that answer a POST. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  parser = new EventParser(),
): AsyncGenerator<ServerEvent[]> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield parser.push(decoder.decode(value, { stream: true }))
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function withAfter(url: string, after: string): string {
  return after ? `${url}${url.includes('?') ? '&' : '?'}after=${encodeURIComponent(after)}` : url
}

/** A `bye` whose reason is not the end of the work (`restart`, `shutdown` …) asks to come back. */
function saysGoodbye(event: ServerEvent): boolean {
  if (event.type !== 'bye') return false
  try {
    const { reason } = JSON.parse(event.data) as { reason?: string }
    return reason !== 'shutdown' && reason !== 'restart' && reason !== 'slow'
  } catch {
    return true
  }
}

/** Opens the stream and keeps it open until it ends or the returned function is called. */
export function openEventStream(options: StreamOptions): () => void {
  const { url, onEvents, onState, onError } = options
  const stopped = new AbortController()
  let after = options.after ?? ''
  let failures = 0

  async function readOnce(): Promise<'ended' | 'lost'> {
    const attempt = new AbortController()
    const stop = () => attempt.abort()
    stopped.signal.addEventListener('abort', stop)
    let watchdog = setTimeout(stop, SILENCE_MS)
    try {
      const response = await watchedFetch(withAfter(url, after), {
        headers: { Accept: 'text/event-stream', ...(after && { 'Last-Event-ID': after }) },
        cache: 'no-store',
        signal: attempt.signal,
      })
      await checkAnswer(response)
      if (!response.body) return 'lost'
      onState('live')
      for await (const events of readEvents(response.body)) {
        clearTimeout(watchdog)
        watchdog = setTimeout(stop, SILENCE_MS)
        if (stopped.signal.aborted) return 'ended'
        if (events.length === 0) continue
        failures = 0
        after = events.findLast((event) => event.id)?.id ?? after
        onEvents(events)
        if (events.some(saysGoodbye)) return 'ended'
      }
      return 'lost'
    } finally {
      clearTimeout(watchdog)
      stopped.signal.removeEventListener('abort', stop)
      attempt.abort()
    }
  }

  async function run(): Promise<void> {
    onState('connecting')
    while (!stopped.signal.aborted) {
      // An `auth` event ends the stream like a lost connection does. Coming back is the one try to
      // go on: a page that may not is answered 401, and the app asks the user to sign in above it.
      try {
        if ((await readOnce()) === 'ended') break
      } catch (error) {
        if (stopped.signal.aborted) break
        const cause = error instanceof Error && error.name === 'ApiError' ? error : noAnswer(error)
        if (cause.name === 'ApiError' && !isTemporary(cause)) {
          onError?.(cause)
          break
        }
      }
      if (stopped.signal.aborted) break
      onState('reconnecting')
      await pause(failures++, stopped.signal)
    }
    if (!stopped.signal.aborted) onState('closed')
  }

  void run()
  return () => stopped.abort()
}

/** Exponential back-off with full jitter in its upper half; ends early on abort. */
function pause(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS)
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2))
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
