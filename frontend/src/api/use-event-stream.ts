/** A server-sent event stream as long as the component lives. */
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { openEventStream, type ServerEvent, type StreamState } from './event-stream'
import { useSessionExpired } from './session'
import { useSeen } from './use-seen'

export interface EventStreamOptions {
  /** Id after which to begin, read once per opening; later reconnections resume by themselves. */
  after?: string
  onEvents: (events: ServerEvent[]) => void
  onError?: (error: unknown) => void
}

/**
 * Listens to `url` while it is not null. Events come in batches; the state is `connecting`, `live`,
 * `reconnecting` or `closed` (the server said `bye`, or the stream can not go on).
 *
 * A hidden tab lets go of its stream and resumes where it was when it is seen again: browsers allow
 * six connections to a host over all tabs, and a seventh page would wait for ever. The same when the
 * session has ended: the stream goes on from its place once the user has signed in again.
 */
export function useEventStream(
  url: string | null,
  { after, onEvents, onError }: EventStreamOptions,
): { state: StreamState; reopen: () => void } {
  const [state, setState] = useState<StreamState>(url ? 'connecting' : 'closed')
  const [opening, setOpening] = useState(0)
  const seen = useSeen()
  const expired = useSessionExpired()
  const reached = useRef<{ url: string; opening: number; id: string } | null>(null)
  const begin = useEffectEvent(() => {
    const last = reached.current
    return last?.url === url && last?.opening === opening ? last.id : after
  })
  const handleEvents = useEffectEvent((events: ServerEvent[]) => {
    const id = events.findLast((event) => event.id)?.id
    if (url && id) reached.current = { url, opening, id }
    onEvents(events)
  })
  const handleError = useEffectEvent((error: unknown) => onError?.(error))

  useEffect(() => {
    if (!url || !seen || expired) return
    return openEventStream({
      url,
      after: begin(),
      onEvents: (events) => handleEvents(events),
      onState: setState,
      onError: (error) => handleError(error),
    })
  }, [url, opening, seen, expired])

  return { state: url ? state : 'closed', reopen: () => setOpening((n) => n + 1) }
}
