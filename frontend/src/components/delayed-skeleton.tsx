/** A skeleton that shows only when loading takes longer than 300 ms: fast answers do not flicker. */
import { Skeleton } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

const DELAY_MS = 300

export function DelayedSkeleton({ rows = 4 }: { rows?: number }) {
  const { t } = useTranslation()
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), DELAY_MS)
    return () => clearTimeout(timer)
  }, [])
  if (!late) return null
  return (
    <div role="status" aria-label={t('general.loading')}>
      <Skeleton active title={false} paragraph={{ rows }} />
    </div>
  )
}
