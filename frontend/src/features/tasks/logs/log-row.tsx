/** One line of the log: number, time, level, text with its colours and matches. Hundreds are drawn in
 * a second: no hooks in here, what they share is in `look`. */
import { memo } from 'react'
import { styleOf } from './colours'
import type { Gap, LogLine } from './log-api'
import { CLIP_CHARS, piecesOf, type Piece } from './pieces'
import type { RowLook } from './row-look'

interface Props {
  row: number
  line: LogLine
  look: RowLook
  /** More class names: marked, current. */
  state: string
  /** All of a very long line. */
  whole: boolean
}

function drawn({ text, code, match }: Piece, n: number, { mode }: RowLook) {
  const style = code ? styleOf(code, mode) : undefined
  if (match) return <mark key={n}>{text}</mark>
  return style ? <span key={n} style={style}>{text}</span> : text
}

export const LogRow = memo(function LogRow({ row, line, look, state, whole }: Props) {
  const long = line.text.length > CLIP_CHARS
  const text = long && !whole ? line.text.slice(0, CLIP_CHARS) : line.text
  const pieces = piecesOf(text, line.colours, look.matches(text))
  return (
    <div className={`log-row log-${line.level}${state}`} data-row={row}>
      <a className="log-number" href={`#L${line.number}`} tabIndex={-1} data-number={line.number}>
        {line.number}
      </a>
      <time className="log-time" dateTime={line.at}>
        {look.time(line.at)}
      </time>
      <span className="log-level">
        {look.levels[line.level]}
        {line.rank != null && <span className="log-rank">{look.rank(line.rank)}</span>}
      </span>
      <span className={look.wrap ? 'log-text log-wrap' : 'log-text'}>
        {pieces.map((piece, n) => drawn(piece, n, look))}
        {long && (
          <button type="button" className="log-more" data-whole={line.id}>
            {whole ? look.words.showLess : look.showAll(line.text.length)}
          </button>
        )}
        {line.continued && <span className="log-continued" title={look.words.continued}>{' ↩'}</span>}
      </span>
    </div>
  )
})

interface MissingProps {
  row: number
  /** Null under a filter: which line it is, only the server knows. */
  number: number | null
  gap?: Gap
  /** Whether this one of the rows of a gap has the button. */
  asks: boolean
  look: RowLook
}

/** A line that is not loaded yet, or was left out of the stream. */
export function MissingRow({ row, number, gap, asks, look }: MissingProps) {
  return (
    <div className={`log-row log-missing${gap ? ' log-gap' : ''}`} data-row={row}>
      <span className="log-number">{number}</span>
      <span className="log-text">
        {gap && asks ? (
          <button type="button" className="log-more" data-gap={gap.first_number}>
            {look.gap(gap.last_number - gap.first_number + 1)}
          </button>
        ) : (
          '···'
        )}
      </span>
    </div>
  )
}
