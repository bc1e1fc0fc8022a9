/** One more run beside those that are compared, found by its name. */
import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { taskListQuery } from '../api'

interface Props {
  ids: readonly string[]
  onAdd: (id: string) => void
}

export function AddRun({ ids, onAdd }: Props) {
  const { t } = useTranslation()
  const [q, setQ] = useState('')
  const [open, setOpen] = useState(false)
  const { data } = useQuery({ ...taskListQuery({ limit: 50, ...(q && { q }) }), enabled: open })
  return (
    <Select
      showSearch={{ filterOption: false, searchValue: q, onSearch: setQ }}
      value={null}
      open={open}
      onOpenChange={setOpen}
      placeholder={t('tasks.compare.add')}
      aria-label={t('tasks.compare.add')}
      notFoundContent={t('general.noMatch')}
      style={{ width: 240 }}
      onChange={(id: string) => {
        setQ('')
        onAdd(id)
      }}
      options={(data?.items ?? [])
        .filter(({ id }) => !ids.includes(id))
        .map(({ id, name }) => ({ value: id, label: name }))}
    />
  )
}
