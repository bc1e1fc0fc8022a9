/** One line of the log: number, time, level, text with its matches marked. */
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { plainText, splitAtMatches, type LogLine } from './log-lines'
import { useFormat } from '@/i18n/format'

interface Props {
  line: LogLine
  q: string
  wrap: boolean
}

export const LogRow = memo(function LogRow({ line, q, wrap }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const at = new Date(line.at)
  return (
    <div className={`log-row log-${line.level}`} data-line={line.id}>
      <span className="log-number">{line.number}</span>
      <time className="log-time" dateTime={line.at} title={format.dateTime(at)}>
        {format.time(at)}
      </time>
      <span className="log-level">{t(`tasks.logs.levels.${line.level}`)}</span>
      <span className={wrap ? 'log-text log-wrap' : 'log-text'}>
        {splitAtMatches(plainText(line.text), q).map((piece, n) =>
          n % 2 ? <mark key={n}>{piece}</mark> : piece,
        )}
        {line.continued && <span className="secondary">{' ↩'}</span>}
      </span>
    </div>
  )
})
