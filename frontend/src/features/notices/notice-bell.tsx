/** The bell in the bar: how many notices are unread, the newest in a panel below it. */
import { BellOutlined, SettingOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Badge, Button, Flex, Popover } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { markRead, newestQuery } from './api'
import { NoticeItem } from './notice-item'
import { paths, withQuery } from '@/app/paths'
import { EmptyState } from '@/components/empty-state'
import { useShowError } from '@/components/use-show-error'

export function NoticeBell() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const showError = useShowError()
  const [open, setOpen] = useState(false)
  const { data } = useQuery(newestQuery())
  const items = data?.items ?? []
  const unread = data?.unread ?? 0
  const close = () => setOpen(false)
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      trigger="click"
      placement="bottomRight"
      title={
        <Flex justify="space-between" align="center" gap={8}>
          {t('notices.title')}
          <Button
            type="link"
            size="small"
            disabled={unread === 0}
            onClick={() => void markRead(client, { all: true }).catch(showError)}
          >
            {t('notices.panel.markAll')}
          </Button>
        </Flex>
      }
      content={
        <div className="notice-panel">
          {items.length === 0 ? (
            <EmptyState title={t('notices.panel.empty')} detail={t('notices.panel.emptyDetail')} />
          ) : (
            // It scrolls: also with the keyboard alone.
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            <ul className="notice-list" tabIndex={0} aria-label={t('notices.title')}>
              {items.map((notice) => (
                <NoticeItem key={notice.id} notice={notice} onOpen={close} />
              ))}
            </ul>
          )}
          <Flex justify="space-between" style={{ paddingTop: 12 }}>
            <Link to={paths.notices} onClick={close}>
              {t('notices.panel.all')}
            </Link>
            <Link to={withQuery(paths.notices, { tab: 'preferences' })} onClick={close}>
              <SettingOutlined aria-hidden /> {t('notices.panel.settings')}
            </Link>
          </Flex>
        </div>
      }
    >
      <Button
        type="text"
        aria-label={unread ? t('notices.bell.unread', { count: unread }) : t('notices.bell.none')}
        aria-expanded={open}
        icon={
          <Badge count={unread} size="small" overflowCount={99}>
            <BellOutlined aria-hidden style={{ fontSize: 16 }} />
          </Badge>
        }
      />
    </Popover>
  )
}
