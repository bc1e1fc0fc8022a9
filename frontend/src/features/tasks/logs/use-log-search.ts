/** Search over the whole log on the server: how many lines match, which one is looked at, where they lie. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { find, getMatches, type Params } from './log-api'

export interface LogSearchView {
  /** Null: nothing is searched, or not known yet. */
  matched: number | null
  /** Which of them is looked at, from 1. */
  index: number | null
  /** Its line. */
  number: number | null
  /** Lines that match, thinned. */
  marks: readonly number[]
  /** The whole log was searched. */
  complete: boolean
  error: unknown
  step: (direction: 'next' | 'previous') => void
}

interface Current {
  key: string
  index: number | null
  number: number
}

const REFRESH_MS = 5_000
const GO_ON_MS = 300
const NO_MARKS: readonly number[] = []

interface Options {
  task: string
  attempt: number
  /** Search and filter; null: nothing is searched. */
  query: Params | null
  live: boolean
  /** Number of the line at the top of the view. */
  from: () => number
  onFound: (number: number) => void
}

export function useLogSearch({ task, attempt, query, live, from, onFound }: Options): LogSearchView {
  const key = query && JSON.stringify([attempt, query])
  const [current, setCurrent] = useState<Current | null>(null)
  const [failure, setFailure] = useState<{ key: string; error: unknown } | null>(null)
  const asked = useRef(0)
  const here = current?.key === key ? current : null
  const { data, error } = useQuery({
    queryKey: ['tasks', 'one', task, 'logs', 'matches', key],
    queryFn: ({ signal }) => getMatches(task, { attempt, ...query }, signal),
    enabled: query !== null,
    retry: false,
    refetchInterval: ({ state }) => {
      if (state.status !== 'success') return false
      // Of a huge log the server counts a part at a time.
      return state.data?.complete === false ? GO_ON_MS : live && REFRESH_MS
    },
  })

  async function look(start: number, direction: 'next' | 'previous'): Promise<void> {
    if (!key) return
    const turn = ++asked.current
    try {
      const found = await find(task, { attempt, ...query, from: Math.max(0, start), direction })
      if (turn !== asked.current || !found.line) return
      const { number } = found.line
      setCurrent({ key, index: found.index, number })
      onFound(number)
    } catch (caught) {
      if (turn === asked.current) setFailure({ key, error: caught })
    }
  }

  const lookAnew = useEffectEvent(() => void look(from() - 1, 'next'))
  const first = useRef(true)
  useEffect(() => {
    // A page that is opened shows what its address says; what is typed there is looked for.
    if (!first.current && key) lookAnew()
    first.current = false
  }, [key])

  const active = query !== null
  return {
    matched: active && !error && data ? data.matched : null,
    index: active ? (here?.index ?? null) : null,
    number: active ? (here?.number ?? null) : null,
    marks: (active && !error && data?.marks) || NO_MARKS,
    complete: data?.complete ?? true,
    error: active ? (error ?? (failure?.key === key ? failure?.error : undefined)) : undefined,
    step: (direction) => void look(here ? here.number : from() + (direction === 'next' ? -1 : 0), direction),
  }
}
