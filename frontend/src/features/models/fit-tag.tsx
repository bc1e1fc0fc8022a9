/** Whether training with a method fits into this host's memory: icon, word and colour. */
import {
  CheckCircleFilled,
  CloseCircleFilled,
  ExclamationCircleFilled,
  QuestionCircleOutlined,
} from '@ant-design/icons'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '@/api/client'

const LOOK = {
  fits: ['var(--ant-color-success)', <CheckCircleFilled key="icon" />],
  tight: ['var(--ant-color-warning)', <ExclamationCircleFilled key="icon" />],
  will_not_fit: ['var(--ant-color-error)', <CloseCircleFilled key="icon" />],
  unknown: ['var(--ant-color-text-secondary)', <QuestionCircleOutlined key="icon" />],
} as const

interface Props {
  method: Schemas['Method']
  fit: Schemas['Fit']
}

export function FitTag({ method, fit }: Props) {
  const { t } = useTranslation()
  const [color, icon] = LOOK[fit]
  return (
    <span className="nowrap">
      {t(`models.methods.${method}`)}{' '}
      <span style={{ color }}>
        <span aria-hidden>{icon}</span> {t(`models.fit.${fit}`)}
      </span>
    </span>
  )
}
