/** One line of the log: number, time, level, text with its colours and matches. */
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { styleOf } from './colours'
import type { Gap, LogLine } from './log-api'
import { CLIP_CHARS, inUtf16, piecesOf } from './pieces'
import type { RowLook } from './row-look'
import { useFormat } from '@/i18n/format'

interface Props {
  row: number
  line: LogLine
  look: RowLook
  /** More class names: marked, current. */
  state: string
  /** All of a very long line. */
  whole: boolean
}

export const LogRow = memo(function LogRow({ row, line, look, state, whole }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const clipped = !whole && line.text.length > CLIP_CHARS
  const text = clipped ? line.text.slice(0, CLIP_CHARS) : line.text
  const pieces = piecesOf(text, inUtf16(line.text, line.colours ?? []), look.matches(text))
  return (
    <div className={`log-row log-${line.level}${state}`} data-row={row}>
      <a className="log-number" href={`#L${line.number}`} tabIndex={-1} data-number={line.number}>
        {line.number}
      </a>
      <time className="log-time" dateTime={line.at} title={look.fullTime(line.at)}>
        {look.time(line.at)}
      </time>
      <span className="log-level">
        {look.levels[line.level]}
        {line.rank != null && <span className="log-rank">{t('logs.rankShort', { rank: line.rank })}</span>}
      </span>
      <span className={look.wrap ? 'log-text log-wrap' : 'log-text'}>
        {pieces.map(({ text: part, code, match }, n) => {
          const style = code ? styleOf(code, look.mode) : undefined
          if (match) return <mark key={n} style={style && { ...style, color: undefined, background: undefined }}>{part}</mark>
          return style ? <span key={n} style={style}>{part}</span> : part
        })}
        {(clipped || (whole && line.text.length > CLIP_CHARS)) && (
          <button type="button" className="log-more" data-whole={line.id}>
            {clipped
              ? t('logs.showAll', { size: format.number(line.text.length) })
              : t('logs.showLess')}
          </button>
        )}
        {line.continued && <span className="log-continued" title={t('logs.continued')}>{' ↩'}</span>}
      </span>
    </div>
  )
})

/** A line that is not loaded yet, or was left out of the stream. */
export function MissingRow({ row, number, gap, asks }: { row: number; number: number | null; gap?: Gap; asks: boolean }) {
  const { t } = useTranslation()
  const format = useFormat()
  return (
    <div className={`log-row log-missing${gap ? ' log-gap' : ''}`} data-row={row}>
      <span className="log-number">{number}</span>
      <span className="log-text">
        {gap && asks ? (
          <button type="button" className="log-more" data-gap={gap.first_number}>
            {t('logs.gap', {
              count: gap.last_number - gap.first_number + 1,
              shown: format.number(gap.last_number - gap.first_number + 1),
            })}
          </button>
        ) : (
          '···'
        )}
      </span>
    </div>
  )
}
