/** "Updated 3 seconds ago": what is on the screen says how old it is, and when it is too old. */
import { useTranslation } from 'react-i18next'
import { useNow } from './use-now'
import { useFormat } from '@/i18n/format'

const NOW_MS = 5000

interface Props {
  /** Milliseconds since 1970 of the newest data. */
  at: number
  /** Older than this is marked. */
  staleAfterMs?: number
}

export function Freshness({ at, staleAfterMs = 20_000 }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const now = Math.max(useNow(), at)
  const stale = now - at > staleAfterMs
  return (
    <span
      className="nowrap"
      style={{ fontSize: 12, color: `var(--ant-color-${stale ? 'warning' : 'text-tertiary'})` }}
    >
      {stale && `${t('general.stale')} `}
      {now - at < NOW_MS
        ? t('general.updatedNow')
        : t('general.updated', { when: format.relative(new Date(at), new Date(now)) })}
    </span>
  )
}
