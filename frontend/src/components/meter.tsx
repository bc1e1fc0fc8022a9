/** How much of something is used: a bar with figures, a word when it gets tight. */
import { Progress } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '@/i18n/format'

interface Props {
  label: ReactNode
  /** For screen readers when the label is no text. */
  name: string
  fraction: number
  figures?: ReactNode
  /** From this fraction on the bar warns. */
  tightFrom?: number
}

export function Meter({ label, name, fraction, figures, tightFrom = 0.9 }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const tight = fraction >= tightFrom
  return (
    <div>
      <div style={{ display: 'flex', justifyContent: 'space-between', gap: 12 }}>
        <span>{label}</span>
        <span className="numeric nowrap">
          {tight && <span style={{ color: 'var(--ant-color-warning)' }}>{t('general.tight')} </span>}
          {figures}
          {figures ? ' · ' : ''}
          {format.percent(fraction)}
        </span>
      </div>
      <Progress
        percent={Math.round(Math.min(1, Math.max(0, fraction)) * 100)}
        showInfo={false}
        size="small"
        strokeColor={tight ? 'var(--ant-color-warning)' : 'var(--ant-color-primary)'}
        aria-label={name}
      />
    </div>
  )
}
