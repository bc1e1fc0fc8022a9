/** The messages that were sent to a place, and how each went. */
import { CheckCircleFilled, ClockCircleOutlined, CloseCircleFilled } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Drawer } from 'antd'
import { useTranslation } from 'react-i18next'
import { deliveriesQuery, type NoticeTarget } from '../api'
import { deliverySentence } from './delivery-sentence'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LoadMore } from '@/components/load-more'
import { RelativeTime } from '@/components/relative-time'
import { useNow } from '@/components/use-now'
import { useFormat } from '@/i18n/format'
import '../notices.css'

const ICONS = {
  sent: <CheckCircleFilled style={{ color: 'var(--ant-color-success)' }} />,
  waiting: <ClockCircleOutlined style={{ color: 'var(--ant-color-text-secondary)' }} />,
  failed: <CloseCircleFilled style={{ color: 'var(--ant-color-error)' }} />,
}

export function DeliveryDrawer({ target, onClose }: { target: NoticeTarget; onClose: () => void }) {
  const { t } = useTranslation()
  const list = useInfiniteQuery(deliveriesQuery(target.id))
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Drawer open size={520} title={t('noticeTargets.deliveries.title', { name: target.name })} onClose={onClose}>
      {list.error && !list.data && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <DelayedSkeleton rows={6} />}
      {list.data && items.length === 0 && <EmptyState title={t('noticeTargets.deliveries.empty')} />}
      <ul className="notice-list">
        {items.map((item) => (
          <Delivery key={item.id} item={item} />
        ))}
      </ul>
      <LoadMore list={list} />
    </Drawer>
  )
}

function Delivery({ item }: { item: Schemas['NoticeDelivery'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  const facts = [
    t(`noticeTargets.deliveries.states.${item.state}`),
    item.attempts > 0 && t('noticeTargets.deliveries.attempts', { count: item.attempts }),
    item.due_at &&
      item.attempts > 0 &&
      t('noticeTargets.deliveries.next', { when: format.relative(new Date(item.due_at), new Date(now)) }),
  ]
  return (
    <li className="notice">
      <span aria-hidden>{ICONS[item.state]}</span>
      <div className="notice-text">
        <span>{t(`notices.titles.${item.kind}`, { name: item.subject.name })}</span>
        {item.error && <span className="secondary">{deliverySentence(t, item.error)}</span>}
        <span className="notice-when">
          <RelativeTime at={item.at} /> {'· '}
          {facts.filter(Boolean).join(' · ')}
        </span>
      </div>
    </li>
  )
}
