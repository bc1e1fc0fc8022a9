/**
 * The log of a run. Follows while the run writes; scrolling up detaches, reaching the bottom
 * attaches again. Only visible rows are in the page. Keys: / search, f follow, w wrap, Home, End.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { Button, Flex, Select } from 'antd'
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { Level } from './log-lines'
import { LogRow } from './log-row'
import { LogToolbar } from './log-toolbar'
import './log-viewer.css'
import { useLogLines } from './use-log-lines'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'

const ROW_PX = 20
const NEAR_PX = 24

interface Props {
  taskId: string
  attempts: number
  live: boolean
}

export function LogViewer({ taskId, attempts, live }: Props) {
  const { t } = useTranslation()
  const [search, setSearch] = useSearchState({ q: '', level: '', attempt: '', wrap: '1' })
  const attempt = Number(search.attempt) || attempts
  const levels = search.level ? (search.level.split(',') as Level[]) : []
  const wrap = search.wrap === '1'
  const writing = live && attempt === attempts
  const [follow, setFollowing] = useState(live)
  const [leftAt, setLeftAt] = useState(0)
  const log = useLogLines(taskId, attempt, { q: search.q, levels }, writing)
  const box = useRef<HTMLDivElement>(null)
  const searchField = useRef<HTMLInputElement>(null)
  // eslint-disable-next-line react-hooks/incompatible-library -- rows are read while rendering only
  const rows = useVirtualizer({
    count: log.lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => log.lines[index]?.id ?? index,
    overscan: 20,
  })
  const last = log.lines.at(-1)?.number ?? 0
  const first = log.lines[0]?.id
  const anchor = useRef<{ id: string; height: number } | null>(null)

  useLayoutEffect(() => {
    if (follow && log.lines.length > 0) rows.scrollToIndex(log.lines.length - 1, { align: 'end' })
  }, [follow, log.lines, rows, wrap])

  useLayoutEffect(() => {
    // Older lines came in above: keep what the reader looks at where it is.
    const kept = anchor.current
    if (!kept || kept.id === first || !box.current) return
    box.current.scrollTop += rows.getTotalSize() - kept.height
    anchor.current = null
  }, [first, rows])

  function setFollow(on: boolean): void {
    if (!on && follow) setLeftAt(last)
    setFollowing(on)
  }

  function onScroll(): void {
    const element = box.current
    if (!element) return
    const below = element.scrollHeight - element.scrollTop - element.clientHeight
    if (below < NEAR_PX) {
      if (writing) setFollow(true)
    } else if (below > NEAR_PX * 4) setFollow(false)
    if (element.scrollTop < ROW_PX * 10 && log.more && !follow && first) {
      anchor.current = { id: first, height: rows.getTotalSize() }
      void log.loadOlder()
    }
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const actions: Record<string, () => void> = {
      '/': () => searchField.current?.focus(),
      f: () => setFollow(!follow),
      w: () => setSearch({ wrap: wrap ? '0' : '1' }),
      Home: () => (setFollow(false), rows.scrollToIndex(0)),
      End: () => rows.scrollToIndex(log.lines.length - 1, { align: 'end' }),
    }
    const action = actions[event.key]
    if (!action) return
    event.preventDefault()
    action()
  }

  const unseen = writing && !follow ? Math.max(0, last - leftAt) : 0
  return (
    <section aria-label={t('tasks.logs.title')}>
      <Flex gap={8} align="flex-start" wrap>
        {attempts > 1 && (
          <Select
            value={attempt}
            aria-label={t('tasks.logs.attempt', { number: attempt })}
            onChange={(value) => setSearch({ attempt: value === attempts ? '' : String(value) })}
            options={Array.from({ length: attempts }, (_, n) => ({
              value: n + 1,
              label: t('tasks.logs.attempt', { number: n + 1 }),
            }))}
          />
        )}
        <div style={{ flex: '1 1 260px', minWidth: 0 }}>
          <LogToolbar
            taskId={taskId}
            attempt={attempt}
            log={log}
            live={writing}
            q={search.q}
            levels={levels}
            wrap={wrap}
            follow={follow}
            searchRef={searchField}
            onChange={({ q, levels: chosen }) =>
              setSearch({ ...(q !== undefined && { q }), ...(chosen && { level: chosen.join() }) })
            }
            onWrap={(value) => setSearch({ wrap: value ? '1' : '0' })}
            onFollow={setFollow}
          />
        </div>
      </Flex>
      {log.error !== undefined && <ErrorPanel error={log.error} onRetry={log.reload} />}
      <div style={{ position: 'relative' }}>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys scroll and search in the log */}
        <div
          ref={box}
          className="log-box"
          role="log"
          aria-live="off"
          aria-label={t('tasks.logs.title')}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard
          tabIndex={0}
          onScroll={onScroll}
          onKeyDown={onKeyDown}
          style={{ height: 'max(320px, calc(100vh - 360px))' }}
        >
          {log.lines.length === 0 && !log.loading && (
            <EmptyState title={t(search.q || levels.length ? 'tasks.logs.noMatch' : 'tasks.logs.empty')} />
          )}
          <div style={{ height: rows.getTotalSize(), position: 'relative', minWidth: 'max-content', ...(wrap && { minWidth: 0 }) }}>
            {rows.getVirtualItems().map((row) => {
              const line = log.lines[row.index]
              return (
                line && (
                  <div
                    key={row.key}
                    data-index={row.index}
                    ref={rows.measureElement}
                    style={{ position: 'absolute', insetInlineStart: 0, minWidth: '100%', top: 0, ...(wrap && { width: '100%' }), transform: `translateY(${row.start}px)` }}
                  >
                    <LogRow line={line} q={search.q} wrap={wrap} />
                  </div>
                )
              )
            })}
          </div>
        </div>
        {unseen > 0 && (
          <Button
            type="primary"
            size="small"
            style={{ position: 'absolute', bottom: 12, insetInlineEnd: 24 }}
            onClick={() => setFollow(true)}
          >
            {t('tasks.logs.newLines', { count: unseen })}
          </Button>
        )}
      </div>
    </section>
  )
}
