/** `3 minutes ago`, with the moment itself on hover and for machines. */
import { Tooltip } from 'antd'
import { useNow } from './use-now'
import { useFormat } from '@/i18n/format'

export function RelativeTime({ at }: { at: string | number | Date }) {
  const format = useFormat()
  const date = new Date(at)
  const now = useNow()
  // Between two ticks something may be newer than the tick.
  const reference = new Date(Math.max(now, Math.min(date.getTime(), now + 10_000)))
  return (
    <Tooltip title={format.dateTime(date)}>
      <time dateTime={date.toISOString()} className="nowrap">
        {format.relative(date, reference)}
      </time>
    </Tooltip>
  )
}
