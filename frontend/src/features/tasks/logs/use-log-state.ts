/** The state of the log in the address bar; fragments (marked lines) stay when filters change. */
import { useEffect, useMemo, useRef } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { readState, writeState, type LogState } from './log-state'
import { hashOf, rangeOf, type LineRange } from './permalink'

export interface LogAddress {
  state: LogState
  marked: LineRange | null
  /** Changes a part; what depends on the rest is given that as it will be by then. */
  set: (next: Partial<LogState> | ((state: LogState) => Partial<LogState>)) => void
  /** Marks lines, and names the attempt, so that the link means the same after a restart. */
  mark: (range: LineRange | null, attempt: number) => void
}

export function useLogState(): LogAddress {
  const { search, hash } = useLocation()
  const navigate = useNavigate()
  const state = useMemo(() => readState(search), [search])
  const marked = useMemo(() => rangeOf(hash), [hash])
  // A page that is busy draws an address late; what follows by then must not undo it.
  const sent = useRef(search)
  useEffect(() => {
    sent.current = search
  }, [search])
  const go = (next: (state: LogState) => Partial<LogState>, fragment: string) => {
    const before = readState(sent.current)
    sent.current = writeState(sent.current, { ...before, ...next(before) })
    void navigate({ search: sent.current, hash: fragment }, { replace: true })
  }
  return {
    state,
    marked,
    set: (next) => go(typeof next === 'function' ? next : () => next, hash),
    mark: (range, attempt) => go(() => ({ attempt }), range ? hashOf(range) : ''),
  }
}
