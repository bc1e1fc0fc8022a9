/** The state of the log in the address bar; fragments (marked lines) stay when filters change. */
import { useMemo } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { readState, writeState, type LogState } from './log-state'
import { hashOf, rangeOf, type LineRange } from './permalink'

export interface LogAddress {
  state: LogState
  marked: LineRange | null
  set: (next: Partial<LogState>) => void
  /** Marks lines, and names the attempt, so that the link means the same after a restart. */
  mark: (range: LineRange | null, attempt: number) => void
}

export function useLogState(): LogAddress {
  const { search, hash } = useLocation()
  const navigate = useNavigate()
  const state = useMemo(() => readState(search), [search])
  const marked = useMemo(() => rangeOf(hash), [hash])
  const go = (next: LogState, fragment: string) =>
    void navigate({ search: writeState(search, next), hash: fragment }, { replace: true })
  return {
    state,
    marked,
    set: (next) => go({ ...state, ...next }, hash),
    mark: (range, attempt) => go({ ...state, attempt }, range ? hashOf(range) : ''),
  }
}
