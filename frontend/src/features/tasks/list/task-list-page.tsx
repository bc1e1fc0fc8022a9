/** All runs: search, filter, sort, open, stop or delete several; the address holds the view. */
import { ExperimentOutlined, PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Flex } from 'antd'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { taskPagesQuery, type Task } from '../api'
import { DraftsNotice } from '../wizard/drafts-notice'
import { BulkActions } from './bulk-actions'
import { DEFAULT_SORT, parseSort, sortTasks, sortText } from './list-view'
import { TaskFilters } from './task-filters'
import { TaskTable } from './task-table'
import { useColumns } from './use-columns'
import { ViewMenu } from './view-menu'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { LoadMore } from '@/components/load-more'
import { PageHeader } from '@/components/page-header'
import { useListKeys } from '@/components/use-list-keys'
import { useNow } from '@/components/use-now'
import { useSearchState } from '@/components/use-search-state'

const NONE: Task[] = []
const INITIAL = { q: '', status: '', sort: DEFAULT_SORT, columns: '' }

export function TaskListPage() {
  const { t } = useTranslation()
  const now = useNow()
  const list = useRef<HTMLDivElement>(null)
  const keys = useListKeys(list)
  const [{ q, status, sort: order, columns: address }, set] = useSearchState(INITIAL)
  const [columns, setColumns] = useColumns(address, (text) => set({ columns: text }))
  const [selected, setSelected] = useState<readonly string[]>([])
  const statuses = status ? (status.split(',') as Task['status'][]) : []
  const pages = useInfiniteQuery(
    taskPagesQuery({ ...(q && { q }), ...(statuses.length > 0 && { status: statuses }) }),
  )
  const { data, error, refetch } = pages
  const loaded = data?.pages.flatMap((page) => page.items)
  const sort = parseSort(order)
  // The server gives the newest first; another order is made of what is loaded.
  const own = sortText(sort) !== DEFAULT_SORT
  const items = loaded && own ? sortTasks(loaded, sort, now) : loaded
  const none = items?.length === 0 && !q && statuses.length === 0
  const chosen = (items ?? NONE).filter(({ id }) => selected.includes(id))

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
      ) : (
        <div ref={list}>
          <Flex gap={8} wrap align="center" style={{ marginBottom: 12 }}>
            <TaskFilters q={q} statuses={statuses} onChange={set} />
            <ViewMenu columns={columns} onColumns={setColumns} keys={keys} />
            {chosen.length > 0 && <BulkActions tasks={chosen} onDone={() => setSelected([])} />}
          </Flex>
          {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
          {!items && !error && <DelayedSkeleton />}
          {items && (
            <TaskTable
              items={items}
              columns={columns}
              sort={sort}
              onSort={(next) => set({ sort: sortText(next) })}
              selected={selected}
              onSelect={setSelected}
            />
          )}
          <LoadMore list={pages}>
            {own && <span className="secondary">{t('tasks.view.sortedLoaded')}</span>}
          </LoadMore>
        </div>
      )}
    </>
  )
}
