/** All runs: search, filter, open, stop or delete several. Keys: / search, j k move, Enter opens. */
import { ExperimentOutlined, PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Alert, Button, Flex, Input, Select, type InputRef } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { taskPagesQuery, type Task } from '../api'
import { BulkActions } from './bulk-actions'
import { draftListQuery } from './drafts'
import { TaskTable } from './task-table'
import { paths, withQuery } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { PageHeader } from '@/components/page-header'
import { useSearchState } from '@/components/use-search-state'

const STATUSES = [
  'PENDING', 'PREPARING', 'RUNNING', 'STOPPING', 'COMPLETED', 'FAILED', 'STOPPED',
] as const satisfies readonly Task['status'][]

/** Moves a cursor over the rows by keyboard; typing in a field is left alone. */
function useRowKeys(items: readonly Task[], search: () => void) {
  const navigate = useNavigate()
  const [current, setCurrent] = useState(-1)
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      const target = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable) return
      if (event.key === 'j') setCurrent((n) => Math.min(items.length - 1, n + 1))
      else if (event.key === 'k') setCurrent((n) => Math.max(0, n - 1))
      else if (event.key === '/') {
        event.preventDefault()
        search()
      } else if (event.key === 'Enter' && target === document.body) {
        const task = items[current]
        if (task) void navigate(paths.task(task.id))
      }
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [items, current, navigate, search])
  return items[current]?.id
}

function Drafts() {
  const { t } = useTranslation()
  const { data: drafts } = useQuery(draftListQuery())
  const newest = drafts?.[0]
  if (!newest) return null
  return (
    <Alert
      type="info"
      showIcon
      style={{ marginBottom: 12 }}
      title={t('tasks.drafts', { count: drafts.length })}
      action={
        <LinkButton to={withQuery(paths.newTask, { draft: newest.id })} size="small">
          {t('tasks.continueDraft')}
        </LinkButton>
      }
    />
  )
}

const NONE: Task[] = []

export function TaskListPage() {
  const { t } = useTranslation()
  const [{ q, status }, set] = useSearchState({ q: '', status: '' })
  const [selected, setSelected] = useState<readonly string[]>([])
  const field = useRef<InputRef>(null)
  const statuses = status ? (status.split(',') as Task['status'][]) : []
  const query = { ...(q && { q }), ...(statuses.length > 0 && { status: statuses }) }
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    taskPagesQuery(query),
  )
  const items = data?.pages.flatMap((page) => page.items)
  const [focusSearch] = useState(() => () => field.current?.focus())
  const current = useRowKeys(items ?? NONE, focusSearch)
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
      <Drafts />
      {none ? (
        <EmptyState
          icon={<ExperimentOutlined />}
          title={t('tasks.empty')}
          detail={t('tasks.emptyDetail')}
          actions={
            <LinkButton type="primary" to={paths.newTask}>
              {t('tasks.new')}
            </LinkButton>
          }
        />
      ) : (
        <>
          <Flex gap={8} wrap style={{ marginBottom: 12 }}>
            <Input.Search
              allowClear
              ref={field}
              defaultValue={q}
              onSearch={(text) => set({ q: text.trim() })}
              placeholder={t('tasks.search')}
              aria-label={t('tasks.search')}
              style={{ maxWidth: 320 }}
            />
            <Select
              mode="multiple"
              allowClear
              value={statuses}
              onChange={(next: Task['status'][]) => set({ status: next.join() })}
              placeholder={t('tasks.anyStatus')}
              aria-label={t('general.status')}
              style={{ minWidth: 220 }}
              options={STATUSES.map((value) => ({ value, label: t(`status.job.${value}`) }))}
            />
            {chosen.length > 0 && <BulkActions tasks={chosen} onDone={() => setSelected([])} />}
          </Flex>
          {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
          {!items && !error && <DelayedSkeleton />}
          {items && (
            <TaskTable items={items} current={current} selected={selected} onSelect={setSelected} />
          )}
          {hasNextPage && (
            <Flex justify="center" style={{ marginTop: 12 }}>
              <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                {t('general.loadMore')}
              </Button>
            </Flex>
          )}
        </>
      )}
    </>
  )
}
