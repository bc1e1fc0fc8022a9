/** The way from a line of the upload to its row; says so when no row comes from there. */
import { useQuery } from '@tanstack/react-query'
import { Alert } from 'antd'
import { useEffect, useEffectEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { datasetRowsQuery } from '../api'
import type { RowsState } from './rows-state'
import type { Schemas } from '@/api/client'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { useFormat } from '@/i18n/format'

interface Props {
  dataset: Schemas['Dataset']
  line: number
  state: RowsState
}

export function LineSought({ dataset, line, state }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data, error, refetch, isPlaceholderData } = useQuery(
    datasetRowsQuery(dataset, { line, limit: 1 }),
  )
  const index = isPlaceholderData ? undefined : data?.items[0]?.index
  const jump = useEffectEvent((number: number) => state.jump(number))
  useEffect(() => {
    if (index !== undefined) jump(index + 1)
  }, [index])
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data || isPlaceholderData || data.total > 0) return null
  return (
    <Alert
      type="info"
      showIcon
      role="status"
      closable={{ onClose: () => state.set({ line: '' }) }}
      style={{ marginBottom: 12 }}
      title={t('datasets.rowView.noLine', { line: format.number(line) })}
      action={
        <LinkButton size="small" to="?tab=report">
          {t('datasets.state.showReport')}
        </LinkButton>
      }
    />
  )
}
