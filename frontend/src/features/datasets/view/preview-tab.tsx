/** The rows of a data set: as a table, as conversations, or as raw JSON; searched and paged. */
import { useQuery } from '@tanstack/react-query'
import { Flex, Input, Pagination, Segmented } from 'antd'
import { useTranslation } from 'react-i18next'
import { datasetRowsQuery } from '../api'
import { Conversation } from './conversation'
import { conversationOf } from './record-text'
import { RowTable } from './row-table'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'
import { useFormat } from '@/i18n/format'
import './view.css'

const VIEWS = ['table', 'conversation', 'raw'] as const
type View = (typeof VIEWS)[number]
const PAGE_SIZE: Record<View, number> = { table: 100, conversation: 20, raw: 50 }

export function PreviewTab({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const talks =
    dataset.record_type === 'conversational' || dataset.record_type === 'prompt_completion'
  const views = talks ? VIEWS : VIEWS.filter((each) => each !== 'conversation')
  const [state, set] = useSearchState({ view: 'table', rows: '', page: '1' })
  const view = views.find((each) => each === state.view) ?? 'table'
  const page = Math.max(1, Math.floor(Number(state.page)) || 1)
  const limit = PAGE_SIZE[view]
  const { data, error, refetch, isPlaceholderData } = useQuery(
    datasetRowsQuery(dataset, {
      offset: (page - 1) * limit,
      limit,
      ...(state.rows && { q: state.rows }),
    }),
  )

  return (
    <>
      <Flex gap={8} wrap align="center" style={{ marginBottom: 12 }}>
        <Segmented
          value={view}
          onChange={(next) => set({ view: next, page: '1' })}
          options={views.map((value) => ({ value, label: t(`datasets.view.${value}`) }))}
          aria-label={t('datasets.view.label')}
        />
        <Input.Search
          allowClear
          defaultValue={state.rows}
          placeholder={t('datasets.view.search')}
          aria-label={t('datasets.view.search')}
          onSearch={(text) => set({ rows: text, page: '1' })}
          style={{ maxWidth: 320 }}
        />
        {data && (
          <span className="secondary numeric" role="status">
            {state.rows
              ? t('datasets.view.matches', { count: data.total, n: format.number(data.total) })
              : t('datasets.rowCount', { count: data.total })}
          </span>
        )}
      </Flex>
      {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {!data && !error && <DelayedSkeleton rows={8} />}
      {data && (
        <div style={{ opacity: isPlaceholderData ? 0.6 : 1 }}>
          <Rows view={view} rows={data.items} />
          {data.items.length < Math.min(limit, data.total - data.offset) && (
            <p className="secondary">
              {t('datasets.view.cut', { count: data.items.length })}
            </p>
          )}
          <Pagination
            current={page}
            pageSize={limit}
            total={data.total}
            onChange={(next) => set({ page: String(next) })}
            showSizeChanger={false}
            hideOnSinglePage
            size="small"
            style={{ marginTop: 12 }}
          />
        </div>
      )}
    </>
  )
}

function Rows({ view, rows }: { view: View; rows: Schemas['DatasetRow'][] }) {
  const { t } = useTranslation()
  if (rows.length === 0) return <p className="secondary">{t('general.noMatch')}</p>
  if (view === 'table') return <RowTable rows={rows} />
  return (
    <ol className="record-list">
      {rows.map((row) => {
        const turns = view === 'conversation' ? conversationOf(row.record) : null
        return (
          <li key={row.index} className="record">
            <div className="record-head secondary numeric">
              {t('datasets.view.row', { number: row.index + 1 })}
              {row.line !== null && ` · ${t('datasets.view.line', { line: row.line })}`}
            </div>
            {turns ? (
              <Conversation turns={turns} />
            ) : (
              // A keyboard must be able to scroll what is wider than the page.
              // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
              <pre className="record-raw mono" tabIndex={0}>
                {JSON.stringify(row.record, null, 2)}
              </pre>
            )}
          </li>
        )
      })}
    </ol>
  )
}
