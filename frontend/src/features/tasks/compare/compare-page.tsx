/** Two or more runs side by side: curves over each other, what came of them, where they differ. */
import { Alert, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { AddRun } from './add-run'
import { CompareChart } from './compare-chart'
import { CompareTables } from './compare-tables'
import { MAX_COMPARED, parseIds } from './runs'
import { useCompared } from './use-compared'
import { moved } from '../list/list-view'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { PageHeader } from '@/components/page-header'
import { useSearchState } from '@/components/use-search-state'

export function ComparePage() {
  const { t } = useTranslation()
  const [{ ids: text, diff, measure }, set] = useSearchState({ ids: '', diff: '1', measure: 'loss' })
  const ids = parseIds(text)
  const { runs, gone, error, loading } = useCompared(ids)
  const show = (next: readonly string[]) => set({ ids: next.join() })
  const without = (removed: readonly string[]) => show(ids.filter((id) => !removed.includes(id)))
  return (
    <>
      <PageHeader
        trail={[{ label: t('shell.nav.tasks'), to: paths.tasks }]}
        title={t('tasks.compare.title')}
        purpose={t('tasks.compare.purpose')}
        actions={ids.length < MAX_COMPARED && <AddRun ids={ids} onAdd={(id) => show([...ids, id])} />}
      />
      {error && <ErrorPanel error={error} />}
      {gone.length > 0 && (
        <Alert
          type="warning"
          showIcon
          style={{ marginBottom: 16 }}
          title={t('tasks.compare.gone', { count: gone.length, ids: gone.map((id) => id.slice(-12)).join(', ') })}
          action={
            <Button size="small" onClick={() => without(gone)}>
              {t('tasks.compare.removeGone')}
            </Button>
          }
        />
      )}
      {runs.length > 0 && (
        <>
          <CompareChart runs={runs} measure={measure} onMeasure={(name) => set({ measure: name })} />
          <CompareTables
            runs={runs}
            onMove={(id, by) => show(moved(ids, id, by))}
            onRemove={(id) => without([id])}
            onlyDifferences={diff === '1'}
            onOnlyDifferences={(on) => set({ diff: on ? '1' : '0' })}
          />
        </>
      )}
      {loading && runs.length === 0 && <DelayedSkeleton rows={8} />}
      {!loading && runs.length === 0 && !error && (
        <EmptyState
          title={t('tasks.compare.none')}
          detail={t('tasks.compare.how')}
          actions={
            <LinkButton type="primary" to={paths.tasks}>
              {t('tasks.compare.choose')}
            </LinkButton>
          }
        />
      )}
    </>
  )
}
