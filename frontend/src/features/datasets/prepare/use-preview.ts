/** What the steps that are complete would make of the rows: tried out when the typing pauses. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { previewQuery, type Preview } from './api'
import { completeSteps } from './check-steps'
import { sentStep } from './request'
import type { Step } from './steps'

const TYPING_MS = 500

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  const text = JSON.stringify(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(text) as T), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

export interface Outlook {
  data: Preview | undefined
  error: unknown
  /** What is shown is not yet, or no longer, what the steps say. */
  busy: boolean
  retry: () => void
  /** How many of the steps were tried. */
  tried: number
}

export function usePreview(id: string, version: number, steps: readonly Step[]): Outlook {
  const complete = completeSteps(steps)
  const now = complete.length > 0 ? { version, steps: complete.map(sentStep) } : null
  const settled = useSettled(now)
  const { data, error, isFetching, isPlaceholderData, refetch } = useQuery(previewQuery(id, settled))
  const waiting = JSON.stringify(now) !== JSON.stringify(settled)
  return {
    data: settled && !error ? data : undefined,
    error: settled && !waiting ? error : null,
    busy: now !== null && (waiting || isFetching || isPlaceholderData),
    retry: () => void refetch(),
    tried: settled?.steps.length ?? 0,
  }
}
