/** One notice: what happened, why, when; opening it makes it read. */
import { CheckCircleFilled, CheckOutlined, CloseCircleFilled, ExclamationCircleFilled } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { markRead, type Notice } from './api'
import { noticeDetail, noticeLink, noticeTitle } from './notice-text'
import { RelativeTime } from '@/components/relative-time'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'
import './notices.css'

const ICONS = {
  success: <CheckCircleFilled style={{ color: 'var(--ant-color-success)' }} />,
  warning: <ExclamationCircleFilled style={{ color: 'var(--ant-color-warning)' }} />,
  error: <CloseCircleFilled style={{ color: 'var(--ant-color-error)' }} />,
}

export function NoticeItem({ notice, onOpen }: { notice: Notice; onOpen?: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const client = useQueryClient()
  const showError = useShowError()
  const unread = !notice.read_at
  const read = () => void markRead(client, { ids: [notice.id] }).catch(showError)
  return (
    <li className="notice" data-unread={unread}>
      <span aria-hidden>{ICONS[notice.level]}</span>
      <div className="notice-text">
        <Link
          to={noticeLink(notice)}
          className="notice-title"
          onClick={() => {
            if (unread) read()
            onOpen?.()
          }}
        >
          {unread && <span className="visually-hidden">{`${t('notices.panel.unread')}: `}</span>}
          {noticeTitle(t, notice)}
        </Link>
        <span className="secondary">{noticeDetail(t, format, notice)}</span>
        <span className="notice-when">
          <RelativeTime at={notice.at} />
        </span>
      </div>
      {unread && (
        <Tooltip title={t('notices.panel.markRead')}>
          <Button
            type="text"
            size="small"
            icon={<CheckOutlined />}
            aria-label={`${t('notices.panel.markRead')}: ${noticeTitle(t, notice)}`}
            onClick={read}
          />
        </Tooltip>
      )}
    </li>
  )
}
