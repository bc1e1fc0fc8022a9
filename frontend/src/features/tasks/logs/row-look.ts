/** What all rows of a log share, computed once: words, time formats, colours, the search. */
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Level } from './log-api'
import type { Mode } from './colours'
import { matcherOf, type Matcher } from './matcher'
import { LEVELS, type LogSearch } from './log-state'
import { useLanguage } from '@/i18n/language'

export interface RowLook {
  levels: Record<Level, string>
  words: { showLess: string; continued: string }
  showAll: (characters: number) => string
  rank: (rank: number) => string
  gap: (lines: number) => string
  time: (at: string) => string
  fullTime: (at: string) => string
  mode: Mode
  matches: Matcher
  wrap: boolean
}

/** `+1:02:03.4` since `start`. */
export function elapsed(at: string, start: string): string {
  const ms = Date.parse(at) - Date.parse(start)
  if (Number.isNaN(ms)) return '–'
  const tenths = Math.abs(Math.round(ms / 100))
  const [hours, minutes] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return `${ms < 0 ? '-' : '+'}${hours}:${two(minutes)}:${two(Math.floor(tenths / 10) % 60)}.${tenths % 10}`
}

/** `start`: time of the first line, when times are told since then. */
export function useRowLook(search: LogSearch, mode: Mode, wrap: boolean, start: string | null): RowLook {
  const { t } = useTranslation()
  const { code } = useLanguage()
  const { q, regex, matchCase } = search
  return useMemo(() => {
    // Formats are costly to make: two for all rows.
    const clock = new Intl.DateTimeFormat(code, {
      hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
    })
    const full = new Intl.DateTimeFormat(code, { dateStyle: 'medium', timeStyle: 'long' })
    const number = new Intl.NumberFormat(code)
    const levels = Object.fromEntries(LEVELS.map((level) => [level, t(`logs.levels.${level}`)]))
    return {
      words: { showLess: t('logs.showLess'), continued: t('logs.continued') },
      showAll: (characters: number) => t('logs.showAll', { size: number.format(characters) }),
      rank: (rank: number) => t('logs.rankShort', { rank }),
      gap: (lines: number) => t('logs.gap', { count: lines, shown: number.format(lines) }),
      levels: levels as Record<Level, string>,
      time: (at: string) => (start ? elapsed(at, start) : clock.format(new Date(at))),
      fullTime: (at: string) => full.format(new Date(at)),
      mode,
      matches: matcherOf({ q, regex, matchCase, only: false }),
      wrap,
    }
  }, [t, code, q, regex, matchCase, mode, wrap, start])
}
