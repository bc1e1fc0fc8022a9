/** All runs: search, filter, sort, compare, tag, stop or delete several; the address holds the view. */
import { ExperimentOutlined, PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Flex } from 'antd'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isLive, taskPagesQuery, type Task } from '../api'
import { DraftsNotice } from '../wizard/drafts-notice'
import { BulkActions } from './bulk-actions'
import { INITIAL, isFiltered, paramsOf, valuesOf } from './list-view'
import { SavedViews } from './saved-views'
import { FilterChips, TaskFilters } from './task-filters'
import { TaskTable } from './task-table'
import { useColumns } from './use-columns'
import { ViewMenu } from './view-menu'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { Freshness } from '@/components/freshness'
import { LinkButton } from '@/components/link-button'
import { LoadMore } from '@/components/load-more'
import { PageHeader } from '@/components/page-header'
import { useListKeys } from '@/components/use-list-keys'
import { useSearchState } from '@/components/use-search-state'

const NONE: Task[] = []
/** Older than this is marked: three times as long as it takes to ask again. */
const STALE_MS = { live: 15_000, idle: 90_000 }

/** Rows of all pages; what moved between two pages comes once. */
function rowsOf(pages: { items: Task[] }[] | undefined): Task[] | undefined {
  if (!pages) return undefined
  return [...new Map(pages.flatMap(({ items }) => items).map((task) => [task.id, task])).values()]
}

function NothingYet() {
  const { t } = useTranslation()
  return (
    <EmptyState
      icon={<ExperimentOutlined />}
      title={t('tasks.empty')}
      detail={t('tasks.emptyDetail')}
      actions={
        <>
          <LinkButton type="primary" to={paths.newTask}>
            {t('tasks.new')}
          </LinkButton>
          <LinkButton to={paths.overview}>{t('tasks.guided')}</LinkButton>
        </>
      }
    />
  )
}

export function TaskListPage() {
  const { t } = useTranslation()
  const list = useRef<HTMLDivElement>(null)
  const keys = useListKeys(list)
  const [state, set] = useSearchState(INITIAL)
  const [columns, setColumns] = useColumns(state.columns, (text) => set({ columns: text }))
  const [selected, setSelected] = useState<readonly string[]>([])
  const pages = useInfiniteQuery(taskPagesQuery(paramsOf(state)))
  const { error, refetch, dataUpdatedAt } = pages
  const items = rowsOf(pages.data?.pages)
  const none = items?.length === 0 && !isFiltered(state)
  const chosen = (items ?? NONE).filter(({ id }) => selected.includes(id))
  const pinned = valuesOf(state.pin === '-' ? '' : state.pin)

  return (
    <>
      <PageHeader
        title={t('tasks.title')}
        purpose={t('tasks.purpose')}
        actions={
          <LinkButton type="primary" icon={<PlusOutlined />} to={paths.newTask}>
            {t('tasks.new')}
          </LinkButton>
        }
      />
      <DraftsNotice />
      {none ? (
        <NothingYet />
      ) : (
        <div ref={list}>
          <Flex gap={8} wrap align="center" style={{ marginBottom: 8 }}>
            <TaskFilters state={state} onChange={set} />
            <SavedViews columns={columns} />
            <ViewMenu
              columns={columns}
              onColumns={setColumns}
              pinned={pinned}
              onPinned={(next) => set({ pin: next.join() || '-' })}
              keys={keys}
            />
            {items && (
              <span style={{ marginInlineStart: 'auto' }}>
                <Freshness
                  at={dataUpdatedAt}
                  staleAfterMs={items.some(isLive) ? STALE_MS.live : STALE_MS.idle}
                />
              </span>
            )}
          </Flex>
          <FilterChips state={state} onChange={set} />
          {chosen.length > 0 && <BulkActions tasks={chosen} onDone={() => setSelected([])} />}
          {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
          {!items && !error && <DelayedSkeleton />}
          {items && (
            <TaskTable
              items={items}
              columns={columns}
              pinned={pinned}
              sort={state.sort}
              onSort={(sort) => set({ sort })}
              selected={selected}
              onSelect={setSelected}
            />
          )}
          <LoadMore list={pages} />
        </div>
      )}
    </>
  )
}
