/**
 * What the address says of the log: attempt, filters, search and view. A link reproduces what is on
 * the screen; rubbish in it counts as not given.
 */
import type { Level, Params, Stream } from './log-api'

export const LEVELS: readonly Level[] = ['debug', 'info', 'warning', 'error']
export const STREAMS: readonly Stream[] = ['out', 'err', 'host']

export interface LogFilter {
  levels: Level[]
  streams: Stream[]
  ranks: number[]
  /** ISO 8601 in UTC; empty: open. */
  since: string
  until: string
}

export interface LogSearch {
  q: string
  regex: boolean
  matchCase: boolean
  /** Lines without a match are hidden. */
  only: boolean
}

export interface LogState {
  /** 0: the newest. */
  attempt: number
  filter: LogFilter
  search: LogSearch
  wrap: boolean
  relative: boolean
}

const list = (text: string | null) => (text ? text.split(',') : [])

function instant(text: string | null): string {
  const time = text ? Date.parse(text) : NaN
  return Number.isNaN(time) ? '' : new Date(time).toISOString()
}

function known<T extends string>(all: readonly T[], text: string | null): T[] {
  const asked = list(text)
  return all.filter((each) => asked.includes(each))
}

function ranks(text: string | null): number[] {
  const numbers = list(text).filter((each) => /^\d{1,6}$/.test(each)).map(Number)
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** Reads the part of an address after `?`. */
export function readState(search: string): LogState {
  const query = new URLSearchParams(search)
  const attempt = query.get('attempt') ?? ''
  return {
    attempt: /^\d{1,9}$/.test(attempt) ? Number(attempt) : 0,
    filter: {
      levels: known(LEVELS, query.get('level')),
      streams: known(STREAMS, query.get('stream')),
      ranks: ranks(query.get('rank')),
      since: instant(query.get('since')),
      until: instant(query.get('until')),
    },
    search: {
      q: (query.get('q') ?? '').slice(0, 500),
      regex: query.get('regex') === '1',
      matchCase: query.get('case') === '1',
      only: query.get('only') === '1',
    },
    wrap: query.get('wrap') !== '0',
    relative: query.get('time') === 'relative',
  }
}

/** The address after `?` for a state; what it says of other things stays. */
export function writeState(search: string, { attempt, filter, search: asked, wrap, relative }: LogState): string {
  const query = new URLSearchParams(search)
  const values: Record<string, string> = {
    attempt: attempt ? String(attempt) : '',
    level: filter.levels.join(),
    stream: filter.streams.join(),
    rank: filter.ranks.join(),
    since: filter.since,
    until: filter.until,
    q: asked.q,
    regex: asked.regex ? '1' : '',
    case: asked.matchCase ? '1' : '',
    only: asked.only ? '1' : '',
    wrap: wrap ? '' : '0',
    time: relative ? 'relative' : '',
  }
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value)
    else query.delete(name)
  }
  return query.toString()
}

export const isFiltering = ({ levels, streams, ranks: chosen, since, until }: LogFilter) =>
  levels.length > 0 || streams.length > 0 || chosen.length > 0 || since !== '' || until !== ''

export const NO_FILTER: LogFilter = { levels: [], streams: [], ranks: [], since: '', until: '' }

/** The search as the server takes it. */
export const searchParams = ({ q, regex, matchCase }: LogSearch): Params =>
  q ? { q, regex, case: matchCase } : {}

/** What decides which lines are shown, as the server takes it; empty: all are. */
export function hidingParams({ filter, search }: Pick<LogState, 'filter' | 'search'>): Params {
  const { levels, streams, ranks: chosen, since, until } = filter
  return {
    ...(levels.length > 0 && { level: levels }),
    ...(streams.length > 0 && { stream: streams }),
    ...(chosen.length > 0 && { rank: chosen }),
    ...(since && { since }),
    ...(until && { until }),
    ...(search.only && searchParams(search)),
  }
}
