/** The way from a line of the upload to its row; says so when no row comes from there. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Button } from 'antd'
import { useEffect, useEffectEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { datasetRowsQuery } from '../api'
import type { RowsState } from './rows-state'
import type { Schemas } from '@/api/client'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'
import { useFormat } from '@/i18n/format'

interface Props {
  dataset: Schemas['Dataset']
  line: number
  state: RowsState
}

export function LineSought({ dataset, line, state }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const [, showTab] = useSearchState({ tab: '', line: '' })
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
        <Button size="small" onClick={() => showTab({ tab: 'report', line: '' })}>
          {t('datasets.state.showReport')}
        </Button>
      }
    />
  )
}
