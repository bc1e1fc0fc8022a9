/** The rows of a data set: as a table, as conversations, or as raw JSON; searched, paged, one opened. */
import { useQuery } from '@tanstack/react-query'
import { Pagination } from 'antd'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { datasetRowsQuery } from '../api'
import { datasetVersionsQuery } from '../versions/api'
import { LineSought } from './line-sought'
import { RowDrawer } from './row-drawer'
import { RowList } from './row-list'
import { RowTable } from './row-table'
import { RowsToolbar } from './rows-toolbar'
import { useRowsState, VIEWS, type View } from './rows-state'
import { useOpenRow } from './use-open-row'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useListKeys } from '@/components/use-list-keys'
import './view.css'
import './rows.css'

/** Kinds of rows that nobody speaks in. */
const TEXTS = new Set<string | null>(['language_modeling', 'classification'])

export function PreviewTab({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const list = useRef<HTMLDivElement>(null)
  useListKeys(list)
  const state = useRowsState()
  const { view, limit, page, query, split, open } = state
  const { data, error, refetch, isPlaceholderData } = useQuery(
    datasetRowsQuery(dataset, {
      offset: (page - 1) * limit,
      limit,
      ...(query && { q: query }),
      ...(split && { split }),
    }),
  )
  const versions = useQuery({ ...datasetVersionsQuery(dataset), enabled: dataset.record_type !== null })
  const version = versions.data?.items.find((each) => each.version === dataset.version)
  const row = useOpenRow(dataset, state, isPlaceholderData ? undefined : data)
  const first = (page - 1) * limit + 1
  const show = (place: number) => state.show(first + place)
  const type = dataset.record_type
  const label = (each: View) =>
    t(each === 'conversation' && TEXTS.has(type) ? 'datasets.rowView.text' : `datasets.view.${each}`)

  return (
    <div ref={list}>
      <RowsToolbar
        state={state}
        views={VIEWS.map((value) => ({ value, label: label(value) }))}
        splits={version?.splits ?? {}}
        total={data?.total}
      />
      {state.line !== null && <LineSought dataset={dataset} line={state.line} state={state} />}
      {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {!data && !error && <DelayedSkeleton rows={8} />}
      {data && (
        <div style={{ opacity: isPlaceholderData ? 0.6 : 1 }}>
          {data.items.length === 0 && <p className="secondary">{t('general.noMatch')}</p>}
          {data.items.length > 0 &&
            (view === 'table' ? (
              <RowTable rows={data.items} query={query} onOpen={show} />
            ) : (
              <RowList rows={data.items} view={view} recordType={type} query={query} onOpen={show} />
            ))}
          {data.items.length < Math.min(limit, data.total - data.offset) && (
            <p className="secondary">{t('datasets.view.cut', { count: data.items.length })}</p>
          )}
          <Pagination
            current={page}
            pageSize={limit}
            total={data.total}
            onChange={(next) => state.set({ page: String(next), open: '' })}
            showSizeChanger={false}
            hideOnSinglePage
            size="small"
            style={{ marginTop: 12 }}
          />
          <p className="secondary rows-keys">{t('datasets.rowView.keys')}</p>
        </div>
      )}
      <RowDrawer
        row={row}
        place={open}
        total={data?.total}
        recordType={type}
        query={query}
        onGo={state.show}
        onClose={state.close}
      />
    </div>
  )
}
