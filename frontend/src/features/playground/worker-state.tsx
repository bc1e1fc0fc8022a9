/** What the process that answers is doing: loading a model takes seconds, and says so. */
import { useQuery } from '@tanstack/react-query'
import { Badge } from 'antd'
import { useTranslation } from 'react-i18next'
import { workerQuery } from './api'
import { useFormat } from '@/i18n/format'

const BADGE = {
  stopped: 'default',
  starting: 'processing',
  ready: 'success',
  busy: 'processing',
} as const

export function WorkerState({ busy }: { busy: boolean }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data } = useQuery(workerQuery(busy))
  if (!data) return null
  const facts = [
    t(`playground.worker.${data.state}`),
    data.device?.toUpperCase(),
    data.memory_bytes === null ? null : format.bytes(data.memory_bytes),
  ]
  return (
    <span role="status">
      <Badge status={BADGE[data.state]} text={facts.filter(Boolean).join(' · ')} />
    </span>
  )
}
