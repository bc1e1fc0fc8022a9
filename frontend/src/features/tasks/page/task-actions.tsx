/** What can be done with a run, as its state allows. */
import { DeleteOutlined, DownloadOutlined, ExportOutlined, MessageOutlined, MoreOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Dropdown } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { deleteTask, isLive, restartTask, resumeTask, taskUrl, type Task } from '../api'
import { StopButton } from './stop-button'
import { useTaskAction } from './use-task-action'
import { useReachable } from '@/api/connection'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useConfirmDelete } from '@/components/use-confirm-delete'
import { useFormat } from '@/i18n/format'

/** From the beginning: asks first where there is a checkpoint that is given up by it. */
function useRestart(task: Task): () => void {
  const { t } = useTranslation()
  const format = useFormat()
  const { modal } = App.useApp()
  const action = useTaskAction()
  const restart = () => action.mutate({ task, run: () => restartTask(task.id), expect: 'PENDING' })
  if (!task.resumable) return restart
  return () =>
    void modal.confirm({
      title: t('tasks.actions.restartTitle', { name: task.name }),
      content: t('tasks.actions.restartDetail', { step: format.number(task.step) }),
      okText: t('tasks.actions.restart'),
      okButtonProps: { danger: true },
      cancelText: t('general.cancel'),
      focusable: { autoFocusButton: 'cancel' },
      onOk: restart,
    })
}

export function TaskActions({ task }: { task: Task }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const client = useQueryClient()
  const action = useTaskAction()
  const confirmDelete = useConfirmDelete()
  const restart = useRestart(task)
  const live = isLive(task)
  const away = !useReachable()
  const askDelete = () =>
    confirmDelete({
      what: t('tasks.one'),
      name: task.name,
      consequences: t('tasks.actions.deleteConsequences'),
      typeToConfirm: task.has_artifact,
      onConfirm: async () => {
        await deleteTask(task.id)
        void client.invalidateQueries({ queryKey: ['tasks', 'list'] })
        await navigate(paths.tasks)
      },
    })
  const items = [
    { key: 'clone', label: t('tasks.actions.clone'), onClick: () => void navigate(withQuery(paths.newTask, { clone: task.id })) },
    ...(task.parent_id
      ? [
          {
            key: 'compare',
            label: t('tasks.compare.withParent'),
            onClick: () => void navigate(withQuery(paths.compareTasks, { ids: `${task.parent_id},${task.id}` })),
          },
        ]
      : []),
    { key: 'restart', label: t('tasks.actions.restart'), disabled: live || away, onClick: restart },
    { key: 'spec', label: <a href={`${taskUrl(task.id, 'spec')}?format=yaml`} download>{t('tasks.actions.downloadSpec')}</a> },
    { type: 'divider' as const },
    { key: 'delete', danger: true, disabled: live || away, icon: <DeleteOutlined />, label: t('general.delete'), onClick: askDelete },
  ]
  return (
    <>
      {live && <StopButton task={task} />}
      {!live && task.status !== 'COMPLETED' && task.resumable && (
        <Button
          // Of a failure the panel names the one step that helps.
          type={task.status === 'FAILED' ? 'default' : 'primary'}
          disabled={away}
          loading={action.isPending}
          onClick={() => action.mutate({ task, run: () => resumeTask(task.id), expect: 'PENDING' })}
        >
          {t('tasks.actions.resume')}
        </Button>
      )}
      {task.status === 'COMPLETED' && (
        <LinkButton
          type="primary"
          icon={<MessageOutlined />}
          to={withQuery(paths.playground, { task: task.id })}
        >
          {t('tasks.actions.tryIt')}
        </LinkButton>
      )}
      {task.has_artifact && (
        <Button icon={<DownloadOutlined />} href={taskUrl(task.id, 'artifact')} download>
          {t('tasks.actions.downloadModel')}
        </Button>
      )}
      {task.has_artifact && (
        <LinkButton icon={<ExportOutlined />} to={`${paths.task(task.id)}?tab=exports`}>
          {t('exports.open')}
        </LinkButton>
      )}
      <Dropdown menu={{ items }} trigger={['click']}>
        <Button icon={<MoreOutlined />} aria-label={t('tasks.actions.more')} />
      </Dropdown>
    </>
  )
}
