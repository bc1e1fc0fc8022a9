/** Whether what is shown is the present: live, caught up after a break, reconnecting, or complete. */
import { Badge } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { StreamState } from '@/api/event-stream'

const CAUGHT_UP_MS = 5_000

type Shown = 'connecting' | 'live' | 'caughtUp' | 'reconnecting' | 'complete'

const BADGE: Record<Shown, 'success' | 'processing' | 'warning' | 'default'> = {
  connecting: 'processing',
  live: 'success',
  caughtUp: 'success',
  reconnecting: 'warning',
  complete: 'default',
}

/** `live`: the run still writes. */
export function ConnectionState({ live, stream }: { live: boolean; stream: StreamState }) {
  const { t } = useTranslation()
  const [before, setBefore] = useState(stream)
  const [caughtUp, setCaughtUp] = useState(false)
  if (before !== stream) {
    setBefore(stream)
    setCaughtUp(before === 'reconnecting' && stream === 'live')
  }
  useEffect(() => {
    if (!caughtUp) return
    const timer = setTimeout(() => setCaughtUp(false), CAUGHT_UP_MS)
    return () => clearTimeout(timer)
  }, [caughtUp])
  const shown: Shown = !live || stream === 'closed' ? 'complete' : caughtUp ? 'caughtUp' : stream
  return <Badge className="nowrap" status={BADGE[shown]} text={t(`logs.connection.${shown}`)} />
}
