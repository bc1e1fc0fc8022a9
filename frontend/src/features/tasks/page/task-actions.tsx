/** What can be done with a run, as its state allows. */
import { DeleteOutlined, DownloadOutlined, DownOutlined, ExportOutlined, MessageOutlined, MoreOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Dropdown, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import {
  deleteTask,
  isLive,
  rememberTask,
  restartTask,
  resumeTask,
  stopTask,
  taskQuery,
  taskUrl,
  type Task,
} from '../api'
import { useReachable } from '@/api/connection'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useConfirmDelete } from '@/components/use-confirm-delete'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

const ACTION = ['tasks', 'action']

/**
 * Stop (optimistic), resume, restart: the answer is the task as it is then. While one is under way
 * another click does nothing, wherever the button stands: a double click is one wish.
 */
export function useTaskAction() {
  const client = useQueryClient()
  const showError = useShowError()
  const action = useMutation({
    mutationKey: ACTION,
    mutationFn: ({ run }: { task: Task; run: () => Promise<Task>; expect: Task['status'] }) => run(),
    onMutate: ({ task, expect }) => {
      // The chip changes at once; the server's answer or the event stream corrects it.
      client.setQueryData(taskQuery(task.id).queryKey, { ...task, status: expect })
    },
    onSuccess: (task) => rememberTask(client, task),
    onError: (error, { task }) => {
      showError(error)
      client.setQueryData(taskQuery(task.id).queryKey, task)
      void client.invalidateQueries({ queryKey: taskQuery(task.id).queryKey })
    },
  })
  const mutate: typeof action.mutate = (wish) => {
    if (client.isMutating({ mutationKey: ACTION }) === 0) action.mutate(wish)
  }
  return { mutate, isPending: action.isPending }
}

function StopButton({ task }: { task: Task }) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const action = useTaskAction()
  const away = !useReachable()
  const stop = (save: boolean) =>
    action.mutate({ task, run: () => stopTask(task.id, save), expect: 'STOPPING' })
  if (task.status === 'PENDING') {
    return (
      <Button disabled={away} onClick={() => stop(false)}>
        {t('tasks.actions.withdraw')}
      </Button>
    )
  }
  const discard = () =>
    modal.confirm({
      title: t('tasks.actions.discardTitle', { name: task.name }),
      content: t('tasks.actions.discardDetail'),
      okText: t('tasks.actions.stopDiscard'),
      okButtonProps: { danger: true },
      cancelText: t('general.cancel'),
      focusable: { autoFocusButton: 'cancel' },
      onOk: () => stop(false),
    })
  return (
    <Space.Compact>
      <Button disabled={away || task.status === 'STOPPING'} onClick={() => stop(true)}>
        {t('tasks.actions.stopSave')}
      </Button>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [{ key: 'discard', danger: true, label: t('tasks.actions.stopDiscard') }],
          onClick: discard,
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
          type="primary"
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
