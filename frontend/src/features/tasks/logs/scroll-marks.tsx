/** Marks beside the scroll bar: where the matches are, the first error, the lines of a link. */
import { memo } from 'react'
import type { LogRows } from './log-rows-model'
import { useRowsState } from './use-log-rows'

const HIGH = 1000
/** Of so few lines all are seen: no scroll bar, no marks beside it. */
const FEW_ROWS = 30

interface Props {
  rows: LogRows
  matches: readonly number[]
  current: number | null
  error: number | null
  marked: number | null
}

const lines = (numbers: readonly number[], total: number) =>
  [...new Set(numbers.map((number) => Math.round(((number - 0.5) / total) * HIGH)))]
    .map((y) => `M0 ${y}H1`)
    .join('')

export const ScrollMarks = memo(function ScrollMarks({ rows, matches, current, error, marked }: Props) {
  const total = useRowsState(rows, (state) => state.total)
  if (total <= FEW_ROWS) return null
  const some = (kind: string, numbers: readonly (number | null)[]) => {
    const known = numbers.filter((number): number is number => number !== null && number <= total)
    return known.length > 0 && <path className={`log-mark-${kind}`} d={lines(known, total)} />
  }
  return (
    <svg className="log-marks" viewBox={`0 0 1 ${HIGH}`} preserveAspectRatio="none" aria-hidden>
      {some('match', matches)}
      {some('marked', [marked])}
      {some('error', [error])}
      {some('current', [current])}
    </svg>
  )
})
