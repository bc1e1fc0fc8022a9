/** Every notice of the last three months, newest first. */
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { markRead, noticePagesQuery } from './api'
import { NoticeItem } from './notice-item'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LoadMore } from '@/components/load-more'
import { useSearchState } from '@/components/use-search-state'
import { useShowError } from '@/components/use-show-error'

export function NoticeList() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const showError = useShowError()
  const [{ unread }, setSearch] = useSearchState({ unread: '' })
  const pages = useInfiniteQuery(noticePagesQuery(unread === '1'))
  const items = pages.data?.pages.flatMap((page) => page.items) ?? []
  const count = pages.data?.pages[0]?.unread ?? 0
  if (pages.error && !pages.data) {
    return <ErrorPanel error={pages.error} onRetry={() => void pages.refetch()} />
  }
  if (!pages.data) return <DelayedSkeleton rows={6} />
  return (
    <div style={{ maxWidth: 880 }}>
      <Flex justify="space-between" align="center" gap={8} wrap style={{ marginBottom: 8 }}>
        <Checkbox
          checked={unread === '1'}
          onChange={(event) => setSearch({ unread: event.target.checked ? '1' : '' })}
        >
          {t('notices.panel.onlyUnread')}
        </Checkbox>
        <Button
          size="small"
          disabled={count === 0}
          onClick={() => void markRead(client, { all: true }).catch(showError)}
        >
          {t('notices.panel.markAll')}
        </Button>
      </Flex>
      {items.length === 0 ? (
        <EmptyState
          title={t(unread === '1' ? 'notices.panel.allRead' : 'notices.panel.empty')}
          detail={t('notices.panel.emptyDetail')}
        />
      ) : (
        <ul className="notice-list">
          {items.map((notice) => (
            <NoticeItem key={notice.id} notice={notice} />
          ))}
        </ul>
      )}
      <LoadMore list={pages} />
    </div>
  )
}
