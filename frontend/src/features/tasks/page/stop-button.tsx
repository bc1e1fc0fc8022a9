/** Stop and stop at once: the first click asks for an orderly end, a second one may end it by force. */
import { DownOutlined } from '@ant-design/icons'
import { App, Button, Dropdown, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { stopTask, type Task } from '../api'
import { useTaskAction } from './use-task-action'
import { useReachable } from '@/api/connection'

export function StopButton({ task }: { task: Task }) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const action = useTaskAction()
  const away = !useReachable()
  const stop = (save: boolean) =>
    action.mutate({ task, run: () => stopTask(task.id, save), expect: 'STOPPING' })
  const ask = (what: 'discard' | 'force') =>
    void modal.confirm({
      title: t(`tasks.actions.${what}Title`, { name: task.name }),
      content: t(`tasks.actions.${what}Detail`),
      okText: t(what === 'force' ? 'tasks.actions.force' : 'tasks.actions.stopDiscard'),
      okButtonProps: { danger: true },
      cancelText: t('general.cancel'),
      focusable: { autoFocusButton: 'cancel' },
      onOk: () => stop(false),
    })
  if (task.status === 'PENDING') {
    return (
      <Button disabled={away} onClick={() => stop(false)}>
        {t('tasks.actions.withdraw')}
      </Button>
    )
  }
  if (task.status === 'STOPPING') {
    return (
      <Button danger disabled={away || action.isPending} onClick={() => ask('force')}>
        {t('tasks.actions.force')}
      </Button>
    )
  }
  return (
    <Space.Compact>
      <Button disabled={away} onClick={() => stop(true)}>
        {t('tasks.actions.stopSave')}
      </Button>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [{ key: 'discard', danger: true, label: t('tasks.actions.stopDiscard') }],
          onClick: () => ask('discard'),
        }}
      >
        <Button
          icon={<DownOutlined />}
          disabled={away}
          aria-label={t('tasks.actions.moreStops')}
        />
      </Dropdown>
    </Space.Compact>
  )
}
