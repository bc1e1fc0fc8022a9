/** What a screen reader is told of a log that grows: a sentence now and then, never each line. */
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LogRows } from './log-rows-model'
import { useRowsState } from './use-log-rows'
import { useFormat } from '@/i18n/format'

const EVERY_MS = 15_000

export function QuietSummary({ rows, live }: { rows: LogRows; live: boolean }) {
  const total = useRowsState(rows, (state) => state.total)
  const { t } = useTranslation()
  const format = useFormat()
  const [words, setWords] = useState('')
  const told = useRef(total)
  const tell = useEffectEvent(() => {
    const more = total - told.current
    told.current = total
    if (more > 0) {
      setWords(t('logs.summary', { count: more, shown: format.number(more), total: format.number(total) }))
    }
  })
  useEffect(() => {
    if (!live) return
    const timer = setInterval(() => tell(), EVERY_MS)
    return () => clearInterval(timer)
  }, [live])
  return (
    <div className="visually-hidden" role="status">
      {words}
    </div>
  )
}
