/** A file that is being read: how far, how quickly, how long still, and the way to stop it. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Flex, Progress } from 'antd'
import { useTranslation } from 'react-i18next'
import { stopDataset } from './api'
import type { Schemas } from '@/api/client'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

export function ImportingNotice({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const stop = useMutation({
    mutationFn: () => stopDataset(dataset.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['datasets'] }),
    onError: useShowError(),
  })
  return (
    <Alert
      type="info"
      showIcon
      role="status"
      style={{ marginBottom: 16 }}
      title={t('datasets.state.importing')}
      description={
        <Flex vertical gap={4}>
          <Flex gap={12} align="center">
            <Progress
              percent={Math.min(99, Math.floor((dataset.progress ?? 0) * 100))}
              size="small"
              aria-label={t('datasets.state.importing')}
              style={{ flex: 1 }}
            />
            <Button size="small" loading={stop.isPending} onClick={() => stop.mutate()}>
              {t('datasets.state.stop')}
            </Button>
          </Flex>
          {dataset.work && <Pace work={dataset.work} />}
        </Flex>
      }
    />
  )
}

function Pace({ work }: { work: Schemas['DatasetWork'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const facts = [
    ...(work.rows === null ? [] : [t('datasets.rowCount', { count: work.rows })]),
    ...(work.rows_per_s === null
      ? []
      : [t('datasets.state.rowsPerSecond', { rows: Math.round(work.rows_per_s) })]),
    ...(work.eta_s === null
      ? []
      : [t('datasets.state.timeLeft', { time: format.about(work.eta_s) })]),
  ]
  return facts.length > 0 ? <span className="secondary">{facts.join(' · ')}</span> : null
}
