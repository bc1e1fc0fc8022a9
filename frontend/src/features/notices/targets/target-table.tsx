/** The table of places for messages. */
import { CheckCircleFilled, CloseCircleFilled } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Flex, Switch, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { changeTarget, removeTarget, targetsQuery, testTarget, type NoticeTarget } from '../api'
import { deliverySentence } from './delivery-sentence'
import { RelativeTime } from '@/components/relative-time'
import { useConfirmDelete } from '@/components/use-confirm-delete'
import { useShowError } from '@/components/use-show-error'

interface Props {
  targets: NoticeTarget[]
  onEdit: (target: NoticeTarget) => void
  onHistory: (target: NoticeTarget) => void
}

export function TargetTable({ targets, onEdit, onHistory }: Props) {
  const { t } = useTranslation()
  return (
    <Table<NoticeTarget>
      size="small"
      rowKey="id"
      pagination={false}
      dataSource={targets}
      scroll={{ x: 'max-content' }}
      columns={[
        {
          title: t('noticeTargets.columns.name'),
          render: (_, target) => (
            <Flex vertical style={{ maxWidth: 220, overflowWrap: 'anywhere' }}>
              <span>{target.name}</span>
              <span className="mono secondary">{target.url}</span>
            </Flex>
          ),
        },
        {
          title: t('noticeTargets.columns.service'),
          render: (_, { service }) =>
            t(`noticeTargets.services.${service}` as 'noticeTargets.services.other', {
              defaultValue: service,
            }),
        },
        {
          title: t('noticeTargets.columns.last'),
          render: (_, target) => <Last target={target} />,
        },
        {
          title: t('noticeTargets.columns.enabled'),
          render: (_, target) => <Enabled target={target} />,
        },
        {
          title: t('noticeTargets.columns.actions'),
          render: (_, target) => <Actions {...{ target, onEdit, onHistory }} />,
        },
      ]}
    />
  )
}

function Last({ target: { last_delivery: last, waiting } }: { target: NoticeTarget }) {
  const { t } = useTranslation()
  if (!last && !waiting) return <span className="secondary">{t('noticeTargets.never')}</span>
  return (
    <Flex vertical style={{ maxWidth: 280 }}>
      {last && (
        <span>
          <span aria-hidden style={{ marginInlineEnd: 6 }}>
            {last.ok ? (
              <CheckCircleFilled style={{ color: 'var(--ant-color-success)' }} />
            ) : (
              <CloseCircleFilled style={{ color: 'var(--ant-color-error)' }} />
            )}
          </span>
          {t(last.ok ? 'noticeTargets.arrived' : 'noticeTargets.notArrived')}
          {' · '}
          <RelativeTime at={last.at} />
        </span>
      )}
      {last?.error && <span className="secondary">{deliverySentence(t, last.error)}</span>}
      {waiting > 0 && <span className="secondary">{t('noticeTargets.waiting', { count: waiting })}</span>}
    </Flex>
  )
}

function Enabled({ target }: { target: NoticeTarget }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (enabled: boolean) => changeTarget(target.id, { enabled }),
    onError: useShowError(),
    onSettled: () => client.invalidateQueries({ queryKey: targetsQuery().queryKey }),
  })
  return (
    <Switch
      size="small"
      aria-label={t('noticeTargets.switch', { name: target.name })}
      checked={change.isPending ? change.variables : target.enabled}
      onChange={(enabled) => change.mutate(enabled)}
    />
  )
}

function Actions({ target, onEdit, onHistory }: { target: NoticeTarget } & Omit<Props, 'targets'>) {
  const { t } = useTranslation()
  const { notification } = App.useApp()
  const client = useQueryClient()
  const confirmDelete = useConfirmDelete()
  const test = useMutation({
    mutationFn: () => testTarget(target.id),
    onError: useShowError(),
    onSuccess: ({ error }) => {
      const key = `test ${target.id}`
      if (error) {
        const description = `${target.name}: ${deliverySentence(t, error)}`
        notification.error({ key, title: t('noticeTargets.testFailed'), description, duration: 0, role: 'alert' })
      } else {
        const description = t('noticeTargets.testedDetail', { name: target.name })
        notification.success({ key, title: t('noticeTargets.tested'), description, role: 'status' })
      }
    },
  })
  const remove = async () => {
    await removeTarget(target.id)
    await client.invalidateQueries({ queryKey: targetsQuery().queryKey })
  }
  const label = (action: string) => `${action}: ${target.name}`
  return (
    <Flex gap={4} wrap style={{ maxWidth: 220 }}>
      <Button
        size="small"
        loading={test.isPending}
        aria-label={label(t(test.isPending ? 'noticeTargets.testing' : 'noticeTargets.test'))}
        onClick={() => test.mutate()}
      >
        {t('noticeTargets.test')}
      </Button>
      <Button size="small" aria-label={label(t('noticeTargets.edit'))} onClick={() => onEdit(target)}>
        {t('noticeTargets.edit')}
      </Button>
      <Button size="small" aria-label={label(t('noticeTargets.history'))} onClick={() => onHistory(target)}>
        {t('noticeTargets.history')}
      </Button>
      <Button
        size="small"
        danger
        aria-label={label(t('noticeTargets.remove'))}
        onClick={() =>
          confirmDelete({
            what: t('noticeTargets.what'),
            name: target.name,
            consequences: t('noticeTargets.removed'),
            onConfirm: remove,
          })
        }
      >
        {t('noticeTargets.remove')}
      </Button>
    </Flex>
  )
}
