/** Numbers that grow with the log, each by itself: what stands around them is not drawn again. */
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import type { LogRows } from './log-rows-model'
import type { RowScroller } from './row-scroller'
import { useRowsState } from './use-log-rows'
import { useScrollState } from './use-row-scroller'
import { useFormat } from '@/i18n/format'

export function LineCount({ rows }: { rows: LogRows }) {
  const { t } = useTranslation()
  const format = useFormat()
  const total = useRowsState(rows, (state) => (state.opened ? state.total : null))
  if (total === null) return null
  return (
    <span className="secondary numeric nowrap">
      {t('logs.lines', { count: total, shown: format.number(total) })}
    </span>
  )
}

export function HiddenCount({ rows }: { rows: LogRows }) {
  const { t } = useTranslation()
  const format = useFormat()
  const hidden = useRowsState(rows, ({ opened, total, count }) => (opened ? Math.max(0, total - count) : null))
  if (hidden === null) return null
  return (
    <span className="secondary numeric">
      {t('logs.filter.hidden', { count: hidden, shown: format.number(hidden) })}
    </span>
  )
}

/** How many lines came since the reader let go of the end, and the way back to it. */
export function NewLines({ rows, scroller }: { rows: LogRows; scroller: RowScroller }) {
  const { t } = useTranslation()
  const format = useFormat()
  const following = useScrollState(scroller, (shown) => shown.following)
  const leftAt = useScrollState(scroller, (shown) => shown.leftAt)
  const count = useRowsState(rows, (state) => state.count)
  if (following || count === 0) return null
  const unseen = Math.max(0, count - leftAt)
  return (
    <Button
      type="primary"
      size="small"
      className="log-newer"
      onClick={() => scroller.follow(true)}
      // It lies over the lines: the wheel moves them here, too.
      onWheel={({ deltaY }) => scroller.scrollBy(deltaY)}
    >
      {unseen > 0 ? t('logs.newLines', { count: unseen, shown: format.number(unseen) }) : t('logs.toEnd')}
    </Button>
  )
}
