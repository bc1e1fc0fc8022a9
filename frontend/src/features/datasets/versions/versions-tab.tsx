/** All versions, newest first: what each is made of, who uses it, and what can be done with it. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { datasetVersionsQuery } from './api'
import { CompareDrawer } from './compare-drawer'
import { useVersionActions } from './use-version-actions'
import { VersionEntry } from './version-entry'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'
import './versions.css'

interface Props {
  /** The data set as it is now. */
  dataset: Schemas['Dataset']
  /** The number of the version that the other tabs show. */
  shown: number
}

export function VersionsTab({ dataset, shown }: Props) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(datasetVersionsQuery(dataset))
  const actions = useVersionActions(dataset)
  const [, set] = useSearchState({ compare: '' })
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton rows={6} />
  if (data.items.length === 0) return <EmptyState title={t('datasets.versions.none')} />
  return (
    <>
      <ol className="version-list">
        {data.items.map((version) => (
          <VersionEntry
            key={version.version}
            dataset={dataset}
            version={version}
            others={data.items.filter((each) => each !== version)}
            shown={version.version === shown}
            actions={actions}
            onCompare={(against) => set({ compare: `${version.version}-${against}` })}
          />
        ))}
      </ol>
      <CompareDrawer dataset={dataset} versions={data.items} />
    </>
  )
}
