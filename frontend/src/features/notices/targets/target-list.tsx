/** Where messages are sent: each place with how its last message went. Administrators only. */
import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Flex, Modal, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { targetsQuery, type NoticeTarget } from '../api'
import { DeliveryDrawer } from './delivery-drawer'
import { TargetDialog } from './target-dialog'
import { TargetTable } from './target-table'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'

export function TargetList() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(targetsQuery())
  const [editing, setEditing] = useState<NoticeTarget | 'new'>()
  const [shown, setShown] = useState<NoticeTarget>()
  const [secret, setSecret] = useState<string>()
  if (error && !data) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton rows={4} />
  const add = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setEditing('new')}>
      {t('noticeTargets.add')}
    </Button>
  )
  return (
    <>
      {data.length === 0 ? (
        <EmptyState
          title={t('noticeTargets.empty')}
          detail={t('noticeTargets.emptyDetail')}
          actions={add}
        />
      ) : (
        <>
          <Flex justify="space-between" align="center" gap={12} wrap style={{ marginBottom: 12 }}>
            <span className="secondary">{t('noticeTargets.help')}</span>
            {add}
          </Flex>
          <TargetTable targets={data} onEdit={setEditing} onHistory={setShown} />
        </>
      )}
      {editing && (
        <TargetDialog
          target={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onSigned={setSecret}
        />
      )}
      {shown && <DeliveryDrawer target={shown} onClose={() => setShown(undefined)} />}
      <Modal
        open={Boolean(secret)}
        title={t('noticeTargets.signing.title')}
        closable={false}
        mask={{ closable: false }}
        keyboard={false}
        footer={
          <Button type="primary" onClick={() => setSecret(undefined)}>
            {t('noticeTargets.signing.done')}
          </Button>
        }
      >
        <p>{t('noticeTargets.signing.help')}</p>
        <Typography.Text code copyable style={{ overflowWrap: 'anywhere' }}>
          {secret}
        </Typography.Text>
      </Modal>
    </>
  )
}
