/** A skeleton that shows only when loading takes longer than 300 ms: fast answers do not flicker.
 * `note` says why, when it takes seconds. */
import { Skeleton } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

const DELAY_MS = 300
const NOTE_MS = 2000

function usePassed(ms: number): boolean {
  const [passed, setPassed] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setPassed(true), ms)
    return () => clearTimeout(timer)
  }, [ms])
  return passed
}

export function DelayedSkeleton({ rows = 4, note }: { rows?: number; note?: string }) {
  const { t } = useTranslation()
  const late = usePassed(DELAY_MS)
  const noted = usePassed(NOTE_MS)
  if (!late) return null
  return (
    <div role="status" aria-label={t('general.loading')}>
      {noted && note && <p className="secondary">{note}</p>}
      <Skeleton active title={false} paragraph={{ rows }} />
    </div>
  )
}
