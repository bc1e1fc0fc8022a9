/** What stands between a data set and its use, and the one next step. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Flex } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { updateDataset } from './api'
import { errorHint, errorLine } from './dataset-error'
import { HubChoice } from './hub/hub-choice'
import { ImportingNotice } from './importing-notice'
import { MappingDialog } from './mapping-dialog'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useShowError } from '@/components/use-show-error'

interface Props {
  dataset: Schemas['Dataset']
  onShowReport: () => void
}

export function StateNotice({ dataset, onShowReport }: Props) {
  switch (dataset.status) {
    case 'importing':
      return <ImportingNotice dataset={dataset} />
    case 'needs_mapping':
      return <NeedsMapping dataset={dataset} />
    case 'blocked':
    case 'failed':
      return <Stopped dataset={dataset} onShowReport={onShowReport} />
    case 'ready':
      return null
  }
}

function NeedsMapping({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Alert
        type="warning"
        showIcon
        style={{ marginBottom: 16 }}
        title={t('datasets.state.needsMapping')}
        description={
          <Flex vertical gap={8} align="flex-start">
            <span>
              {dataset.columns.length > 0 &&
                t('datasets.state.columns', { columns: dataset.columns.join(', ') })}
            </span>
            <Button type="primary" onClick={() => setOpen(true)}>
              {t('datasets.mapping.title')}
            </Button>
          </Flex>
        }
      />
      <MappingDialog dataset={dataset} open={open} onClose={() => setOpen(false)} />
    </>
  )
}

function Stopped({ dataset, onShowReport }: Props) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [mapping, setMapping] = useState(false)
  const { id, status, error, counts, columns } = dataset
  const accept = useMutation({
    mutationFn: () => updateDataset(id, { max_dropped_rows: counts.dropped }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['datasets'] }),
    onError: useShowError(),
  })
  const usable = counts.kept + counts.repaired
  return (
    <>
      <Alert
        type={status === 'failed' ? 'error' : 'warning'}
        showIcon
        role="alert"
        style={{ marginBottom: 16 }}
        title={
          error
            ? errorLine(t, error)
            : t('datasets.state.blocked', { count: counts.dropped })
        }
        description={
          <Flex vertical gap={8} align="flex-start">
            {error && <span>{errorHint(t, error)}</span>}
            <Flex gap={8} wrap>
              {dataset.source ? (
                <HubChoice dataset={dataset} source={dataset.source} />
              ) : (
                <LinkButton type="primary" to={withQuery(paths.datasets, { upload: '1' })}>
                  {t('datasets.state.uploadFixed')}
                </LinkButton>
              )}
              {status === 'blocked' && usable > 0 && (
                <Button loading={accept.isPending} onClick={() => accept.mutate()}>
                  {t('datasets.state.accept', { count: counts.dropped })}
                </Button>
              )}
              {columns.length > 0 && (
                <Button onClick={() => setMapping(true)}>{t('datasets.mapping.change')}</Button>
              )}
              <Button onClick={onShowReport}>{t('datasets.state.showReport')}</Button>
            </Flex>
          </Flex>
        }
      />
      <MappingDialog dataset={dataset} open={mapping} onClose={() => setMapping(false)} />
    </>
  )
}
