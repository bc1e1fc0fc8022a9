/** The same action for several runs; what the server refuses is said, the rest is done. */
import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { deleteTask, isLive, stopTask, type Task } from '../api'
import { useShowError } from '@/components/use-show-error'

interface Props {
  tasks: Task[]
  onDone: () => void
}

export function BulkActions({ tasks, onDone }: Props) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const client = useQueryClient()
  const showError = useShowError()
  const live = tasks.filter(isLive)
  const ended = tasks.filter((task) => !isLive(task))

  async function each(chosen: Task[], act: (task: Task) => Promise<unknown>): Promise<void> {
    const results = await Promise.allSettled(chosen.map(act))
    for (const result of results) if (result.status === 'rejected') showError(result.reason)
    await client.invalidateQueries({ queryKey: ['tasks'] })
    onDone()
  }

  function ask(what: 'stop' | 'delete', chosen: Task[]): void {
    const act = what === 'stop' ? (task: Task) => stopTask(task.id, true) : (task: Task) => deleteTask(task.id)
    modal.confirm({
      title: t(what === 'stop' ? 'tasks.bulk.stopTitle' : 'tasks.bulk.deleteTitle', { count: chosen.length }),
      content: (
        <Flex vertical gap={8}>
          {what === 'delete' && <span>{t('tasks.actions.deleteConsequences')}</span>}
          <span className="secondary">{chosen.map(({ name }) => name).join(', ')}</span>
        </Flex>
      ),
      okText: t(`tasks.bulk.${what}`),
      okButtonProps: { danger: what === 'delete' },
      cancelText: t('general.cancel'),
      focusable: { autoFocusButton: 'cancel' },
      onOk: () => each(chosen, act),
    })
  }

  return (
    <Flex gap={8} align="center">
      <span className="secondary">{t('tasks.bulk.selected', { count: tasks.length })}</span>
      {live.length > 0 && <Button onClick={() => ask('stop', live)}>{t('tasks.bulk.stop')}</Button>}
      {ended.length > 0 && (
        <Button danger onClick={() => ask('delete', ended)}>
          {t('tasks.bulk.delete')}
        </Button>
      )}
    </Flex>
  )
}
