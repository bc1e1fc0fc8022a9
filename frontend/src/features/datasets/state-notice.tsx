/** What stands between a data set and its use, and the one next step. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Flex } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { AcceptDropped } from './accept-dropped'
import { errorHint, errorLine } from './dataset-error'
import { HubChoice } from './hub/hub-choice'
import { ImportingNotice } from './importing-notice'
import { MappingDialog } from './mapping-dialog'
import { isMade } from './prepare/preparation-notice'
import { PreparedBlocked } from './prepared-blocked'
import { datasetVersionsQuery } from './versions/api'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'

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
      return <Blocked dataset={dataset} onShowReport={onShowReport} />
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

/** What can be done depends on how the version was made, which the list of versions tells. */
function Blocked({ dataset, onShowReport }: Props) {
  const { data, isPending } = useQuery(datasetVersionsQuery(dataset))
  if (isPending) return null
  const made = data?.items.find(({ version }) => version === dataset.version)
  if (made && made.steps.length > 0) {
    return <PreparedBlocked dataset={dataset} made={made} onShowReport={onShowReport} />
  }
  return <Stopped dataset={dataset} onShowReport={onShowReport} />
}

function Stopped({ dataset, onShowReport }: Props) {
  const { t } = useTranslation()
  const [mapping, setMapping] = useState(false)
  const { status, error, counts, columns } = dataset
  // Made of others: there is no file that could be read in another way.
  const made = isMade(dataset)
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
              ) : made ? null : (
                <LinkButton type="primary" to={withQuery(paths.datasets, { upload: '1' })}>
                  {t('datasets.state.uploadFixed')}
                </LinkButton>
              )}
              <AcceptDropped dataset={dataset} />
              {columns.length > 0 && !made && (
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
