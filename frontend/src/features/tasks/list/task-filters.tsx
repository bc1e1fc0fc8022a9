/** Search and status filter of the list. */
import { Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Task } from '../api'

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
      <Input.Search
        key={q} // an address opened from elsewhere changes the field too
        allowClear
        type="search"
        defaultValue={q}
        onSearch={(text) => onChange({ q: text.trim() })}
        placeholder={t('tasks.search')}
        aria-label={t('tasks.search')}
        style={{ maxWidth: 320 }}
      />
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
