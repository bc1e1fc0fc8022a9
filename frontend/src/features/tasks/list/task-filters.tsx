/** Search and status filter of the list. */
import { Select } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Task } from '../api'
import { ListSearch } from '@/components/list-search'

const STATUSES = [
  'PENDING',
  'PREPARING',
  'RUNNING',
  'STOPPING',
  'COMPLETED',
  'FAILED',
  'STOPPED',
] as const satisfies readonly Task['status'][]

interface Props {
  q: string
  statuses: Task['status'][]
  onChange: (next: { q?: string; status?: string }) => void
}

export function TaskFilters({ q, statuses, onChange }: Props) {
  const { t } = useTranslation()
  return (
    <>
      <ListSearch q={q} label={t('tasks.search')} onSearch={(text) => onChange({ q: text })} />
      <Select
        mode="multiple"
        allowClear
        maxTagCount="responsive"
        value={statuses}
        onChange={(next: Task['status'][]) => onChange({ status: next.join() })}
        placeholder={t('tasks.anyStatus')}
        aria-label={t('general.status')}
        style={{ width: 260 }}
        options={STATUSES.map((value) => ({ value, label: t(`status.job.${value}`) }))}
      />
    </>
  )
}
