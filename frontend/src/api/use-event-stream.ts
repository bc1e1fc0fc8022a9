/** A server-sent event stream as long as the component lives. */
import { useEffect, useEffectEvent, useState } from 'react'
import { openEventStream, type ServerEvent, type StreamState } from './event-stream'

export interface EventStreamOptions {
  /** Id after which to begin, read once per opening; later reconnections resume by themselves. */
  after?: string
  onEvents: (events: ServerEvent[]) => void
  onError?: (error: unknown) => void
}

/**
 * Listens to `url` while it is not null. Events come in batches; the state is `connecting`, `live`,
 * `reconnecting` or `closed` (the server said `bye`, or the stream can not go on).
 */
export function useEventStream(
  url: string | null,
  { after, onEvents, onError }: EventStreamOptions,
): { state: StreamState; reopen: () => void } {
  const [state, setState] = useState<StreamState>(url ? 'connecting' : 'closed')
  const [opening, setOpening] = useState(0)
  const begin = useEffectEvent(() => after)
  const handleEvents = useEffectEvent((events: ServerEvent[]) => onEvents(events))
  const handleError = useEffectEvent((error: unknown) => onError?.(error))

  useEffect(() => {
    if (!url) return
    return openEventStream({
      url,
      after: begin(),
      onEvents: (events) => handleEvents(events),
      onState: setState,
      onError: (error) => handleError(error),
    })
  }, [url, opening])

  return { state: url ? state : 'closed', reopen: () => setOpening((n) => n + 1) }
}
