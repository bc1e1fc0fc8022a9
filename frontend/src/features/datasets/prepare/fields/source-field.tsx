/** Another data set, in one of its versions: the current one unless another is chosen. */
import { DeleteOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Select } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { datasetListQuery } from '../../api'
import { datasetVersionsQuery } from '../../versions/api'
import { useFormat } from '@/i18n/format'

export interface ChosenSource {
  dataset_id: string
  version?: number | null
}

interface Props {
  source: ChosenSource
  onChange: (source: ChosenSource) => void
  onRemove: (() => void) | undefined
  /** Beside the choice: a weight. */
  children?: ReactNode
}

export const sourceListQuery = datasetListQuery({ limit: 200 })

export function SourceField({ source, onChange, onRemove, children }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data } = useQuery(sourceListQuery)
  const ready = data?.items.filter(({ status }) => status === 'ready')
  const chosen = ready?.find(({ id }) => id === source.dataset_id)
  const versions = useQuery({
    ...datasetVersionsQuery(chosen ?? { id: '', version: 0, status: 'ready' }),
    enabled: chosen !== undefined,
  })
  const numbers = versions.data?.items.filter(({ status }) => status === 'ready') ?? []
  return (
    <div className="source-row">
      <Select
        value={source.dataset_id || undefined}
        loading={!data}
        onChange={(dataset_id) => onChange({ dataset_id })}
        aria-label={t('datasets.prepare.source')}
        placeholder={t('datasets.prepare.chooseSource')}
        showSearch={{ optionFilterProp: 'name' }}
        options={(ready ?? []).map(({ id, name, num_rows, record_type }) => ({
          value: id,
          name,
          label: `${name} · ${t('datasets.rowCount', { count: num_rows ?? 0 })}${
            record_type ? ` · ${t(`datasets.recordTypes.${record_type}`)}` : ''
          }`,
        }))}
        labelRender={({ label }) => label ?? (data ? t('datasets.prepare.sourceGone') : null)}
        popupMatchSelectWidth={false}
      />
      {numbers.length > 1 && (
        <Select
          value={source.version ?? 0}
          onChange={(version) => onChange({ ...source, version: version || null })}
          aria-label={t('datasets.version')}
          popupMatchSelectWidth={false}
          options={[
            { value: 0, label: t('datasets.prepare.currentVersion') },
            ...numbers.map(({ version, num_rows }) => ({
              value: version,
              label: `${t('datasets.versions.number', { version })} · ${format.number(num_rows)}`,
            })),
          ]}
        />
      )}
      {children}
      {onRemove && (
        <Button
          type="text"
          icon={<DeleteOutlined />}
          aria-label={t('datasets.prepare.removeSource')}
          onClick={onRemove}
        />
      )}
    </div>
  )
}
