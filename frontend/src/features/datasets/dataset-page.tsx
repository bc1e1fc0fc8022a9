/** One data set: what state it is in, what is in it, what became of the rows of the file. */
import { useQuery } from '@tanstack/react-query'
import { Tabs } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { datasetQuery } from './api'
import { DatasetActions } from './dataset-actions'
import { DatasetEntries } from './dataset-entries'
import { DatasetFacts } from './dataset-facts'
import { DatasetUses } from './dataset-uses'
import { isMade, PreparationNotice } from './prepare/preparation-notice'
import { QualityTab } from './quality/quality-tab'
import { ReportTab } from './report/report-tab'
import { StateNotice } from './state-notice'
import { TokensTab } from './tokens/tokens-tab'
import { useShownVersion } from './versions/use-shown-version'
import { VersionBanner } from './versions/version-banner'
import { VersionsTab } from './versions/versions-tab'
import { FieldsTab } from './view/fields-tab'
import { PreviewTab } from './view/preview-tab'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { PageFailure } from '@/components/page-failure'
import { PageHeader } from '@/components/page-header'
import { DatasetStatusTag } from '@/components/status-tag'
import { useSearchState } from '@/components/use-search-state'

export function DatasetPage() {
  const { t } = useTranslation()
  const { datasetId = '' } = useParams()
  const { data, error, refetch } = useQuery(datasetQuery(datasetId))
  if (data) return <Shown key={datasetId} current={data} />
  const list = { label: t('datasets.title'), to: paths.datasets }
  if (error) return <PageFailure error={error} list={list} onRetry={() => void refetch()} />
  return (
    <>
      <PageHeader title={list.label} trail={[list]} />
      <DelayedSkeleton />
    </>
  )
}

interface Tab {
  key: string
  label: string
  /** Whether there is something to show. */
  there: boolean
  children: ReactNode
}

function Shown({ current }: { current: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const [{ tab }, set] = useSearchState({ tab: '' })
  const version = useShownVersion(current)
  const { dataset, earlier, pending } = version
  const { status } = dataset
  const hasRows = status === 'ready' || status === 'blocked' || status === 'needs_mapping'
  const hasVersions = status === 'ready' || status === 'blocked'
  const hasReport = status !== 'importing' && status !== 'needs_mapping'
  const trainable = (status === 'ready' || status === 'blocked') && dataset.objectives.length > 0
  const first = status === 'ready' || status === 'needs_mapping' ? 'preview' : 'report'
  const busy = current.preparation?.status === 'running' || current.status === 'importing'

  const tabs: Tab[] = [
    {
      key: 'preview',
      label: t('datasets.tabs.preview'),
      there: hasRows,
      children: <PreviewTab dataset={dataset} />,
    },
    {
      key: 'fields',
      label: t('datasets.tabs.fields'),
      there: hasRows,
      children: <FieldsTab dataset={dataset} />,
    },
    {
      key: 'tokens',
      label: t('datasets.tokens.tab'),
      there: trainable,
      children: <TokensTab dataset={dataset} version={dataset.version} />,
    },
    {
      key: 'quality',
      label: t('datasets.tabs.quality'),
      there: hasVersions,
      children: <QualityTab dataset={dataset} busy={busy} />,
    },
    {
      key: 'report',
      label: t('datasets.tabs.report'),
      there: hasReport,
      children: <ReportTab dataset={dataset} />,
    },
    {
      key: 'versions',
      label: t('datasets.tabs.versions'),
      there: hasVersions,
      children: <VersionsTab dataset={current} shown={dataset.version} />,
    },
  ]
  const there = tabs.filter((each) => each.there)

  return (
    <>
      <PageHeader
        title={current.name}
        trail={[{ label: t('datasets.title'), to: paths.datasets }]}
        status={<DatasetStatusTag status={current.status} />}
        purpose={current.description}
        actions={<DatasetActions dataset={current} shown={dataset} />}
      />
      <VersionBanner shown={version} current={current.version} />
      <PreparationNotice dataset={current} />
      {earlier === null && (current.status === 'blocked' || !isMade(current)) && (
        <StateNotice dataset={current} onShowReport={() => set({ tab: 'report' })} />
      )}
      {pending ? (
        <DelayedSkeleton />
      ) : (
        <>
          <DatasetFacts dataset={dataset} />
          <DatasetUses dataset={current} />
          <DatasetEntries dataset={current} />
          {there.length > 0 && (
            <Tabs
              activeKey={there.some(({ key }) => key === tab) ? tab : first}
              onChange={(key) => set({ tab: key === first ? '' : key })}
              items={there}
              destroyOnHidden
            />
          )}
        </>
      )}
    </>
  )
}
