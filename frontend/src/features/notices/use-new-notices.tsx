/** Tells of notices as they come: beside the page, in the tab's title, and by the browser. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation, useNavigate } from 'react-router'
import { markRead, newestQuery, type Notice } from './api'
import { showBrowserNotification, useBrowserState } from './browser-notifications'
import { noticeDetail, noticeLink, noticeTitle } from './notice-text'
import { paths } from '@/app/paths'
import { setTabTitle } from '@/components/tab-title'
import { useHidden } from '@/components/use-hidden'
import { useFormat } from '@/i18n/format'

const AT_ONCE = 3
const SHOWN_S = 8
const HIDDEN_POLL_MS = 30_000

/** `busy`: work is under way that may end; then notices are also asked for while the tab is hidden. */
export function useNewNotices(busy: boolean): void {
  const { t } = useTranslation()
  const format = useFormat()
  const { notification } = App.useApp()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const hidden = useHidden()
  const browser = useBrowserState()
  const asleep = !busy && browser !== 'on'
  const { data } = useQuery({
    ...newestQuery(),
    refetchInterval: hidden && !asleep ? HIDDEN_POLL_MS : false,
    refetchIntervalInBackground: true,
  })
  const known = useRef<Set<string> | null>(null)

  const toast = (key: string, level: Notice['level'], title: string, description: string, to: string) =>
    notification[level]({
      key,
      title,
      description,
      role: 'status',
      // Whoever was away sees it on coming back.
      duration: document.hidden ? 0 : SHOWN_S,
      actions: (
        // No link: it stands outside of the router.
        <Button
          size="small"
          onClick={() => {
            notification.destroy(key)
            void navigate(to)
          }}
        >
          {t('notices.toast.open')}
        </Button>
      ),
    })

  const tell = (fresh: Notice[]) => {
    // What is on the screen needs no words, and is read.
    const seen = fresh.filter((notice) => !document.hidden && noticeLink(notice) === pathname)
    if (seen.length) void markRead(client, { ids: seen.map(({ id }) => id) }).catch(() => undefined)
    const told = fresh.filter((notice) => !seen.includes(notice))
    if (told.length === 0) return
    if (document.hidden) setTabTitle({ marked: true })
    for (const notice of told.slice(0, AT_ONCE)) {
      const title = noticeTitle(t, notice)
      const detail = noticeDetail(t, format, notice)
      const link = noticeLink(notice)
      if (told.length <= AT_ONCE) toast(notice.id, notice.level, title, detail, link)
      if (document.hidden) showBrowserNotification(notice.id, title, detail, () => void navigate(link))
    }
    if (told.length > AT_ONCE) {
      const titles = told.slice(0, AT_ONCE).map((notice) => noticeTitle(t, notice))
      const count = t('notices.toast.several', { count: told.length })
      toast('several', told[0]?.level ?? 'success', count, `${titles.join(' · ')} …`, paths.notices)
    }
  }

  useEffect(() => {
    if (!data) return
    const before = known.current
    known.current = new Set([...(before ?? []), ...data.items.map(({ id }) => id)])
    // What was there when the page was opened is told by the bell.
    if (before) tell(data.items.filter(({ id, read_at }) => !before.has(id) && !read_at))
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only new data is news
  }, [data])

  useEffect(() => {
    if (!hidden) setTabTitle({ marked: false })
  }, [hidden])
}
