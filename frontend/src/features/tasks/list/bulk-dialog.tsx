/** One action for several runs, row by row: what was done, and why something was not. */
import { CheckCircleFilled, ClockCircleOutlined, CloseCircleFilled, LoadingOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Modal, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from '@tanstack/react-query'
import { choicesQuery, deleteTask, stopTask, updateTask, type Task } from '../api'
import { errorSentence } from '@/api/errors'

export type Bulk = 'stop' | 'delete' | 'tag'
type Result = 'working' | 'done' | { error: unknown }

interface Props {
  what: Bulk
  tasks: Task[]
  /** `done`: something was asked for, whatever came of it. */
  onClose: (done: boolean) => void
}

/** The tags of a run with some added, each once whatever its case. */
export function withTags(present: readonly string[], added: readonly string[]): string[] {
  const known = new Set(present.map((tag) => tag.toLowerCase()))
  return [...present, ...added.filter((tag) => !known.has(tag.toLowerCase()))]
}

function ResultLine({ task, result }: { task: Task; result?: Result }) {
  const { t } = useTranslation()
  const failed = typeof result === 'object'
  const icon = failed ? (
    <CloseCircleFilled style={{ color: 'var(--ant-color-error)' }} aria-label={t('tasks.bulk.refused')} />
  ) : result === 'done' ? (
    <CheckCircleFilled style={{ color: 'var(--ant-color-success)' }} aria-label={t('tasks.bulk.done')} />
  ) : result === 'working' ? (
    <LoadingOutlined aria-label={t('general.loading')} />
  ) : (
    <ClockCircleOutlined aria-hidden style={{ color: 'var(--ant-color-text-tertiary)' }} />
  )
  return (
    <li style={{ padding: '4px 0' }}>
      {icon} <span style={{ overflowWrap: 'anywhere' }}>{task.name}</span>
      {failed && <div className="secondary">{errorSentence(t, result.error)}</div>}
    </li>
  )
}

export function BulkDialog({ what, tasks, onClose }: Props) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { data: choices } = useQuery({ ...choicesQuery(), enabled: what === 'tag' })
  const [tags, setTags] = useState<string[]>([])
  const [results, setResults] = useState<Record<string, Result>>({})
  const [state, setState] = useState<'asking' | 'working' | 'ended'>('asking')

  const act = (task: Task): Promise<unknown> => {
    if (what === 'stop') return stopTask(task.id, true)
    if (what === 'delete') return deleteTask(task.id)
    return updateTask(task.id, { tags: withTags(task.tags, tags) })
  }

  async function run(): Promise<void> {
    setState('working')
    for (const task of tasks) {
      const note = (result: Result) => setResults((before) => ({ ...before, [task.id]: result }))
      note('working')
      await act(task).then(
        () => note('done'),
        (error: unknown) => note({ error }),
      )
    }
    await client.invalidateQueries({ queryKey: ['tasks'] })
    setState('ended')
  }

  const failures = Object.values(results).filter((each) => typeof each === 'object').length
  const count = tasks.length
  return (
    <Modal
      open
      title={t(`tasks.bulk.${what}Title`, { count })}
      onCancel={() => state !== 'working' && onClose(state === 'ended')}
      footer={
        state === 'ended' ? (
          <Button type="primary" onClick={() => onClose(true)}>
            {t('general.close')}
          </Button>
        ) : (
          <Flex gap={8} justify="flex-end">
            <Button autoFocus disabled={state === 'working'} onClick={() => onClose(false)}>
              {t('general.cancel')}
            </Button>
            <Button
              type="primary"
              danger={what === 'delete'}
              disabled={what === 'tag' && tags.length === 0}
              loading={state === 'working'}
              onClick={() => void run()}
            >
              {t(`tasks.bulk.${what}`)}
            </Button>
          </Flex>
        )
      }
    >
      <Flex vertical gap={8}>
        {what === 'delete' && <span>{t('tasks.actions.deleteConsequences')}</span>}
        {what === 'tag' && (
          <Select
            mode="tags"
            value={tags}
            onChange={(next: string[]) => setTags(next.map((tag) => tag.trim().slice(0, 50)).filter(Boolean))}
            tokenSeparators={[',']}
            disabled={state !== 'asking'}
            placeholder={t('tasks.bulk.tags')}
            aria-label={t('tasks.bulk.tags')}
            options={(choices?.tags ?? []).map((value) => ({ value, label: value }))}
          />
        )}
        <ul className="plain-rows" style={{ maxHeight: 320, overflowY: 'auto' }}>
          {tasks.map((task) => (
            <ResultLine key={task.id} task={task} result={results[task.id]} />
          ))}
        </ul>
        <div role="status">
          {state === 'ended' &&
            (failures > 0
              ? t('tasks.bulk.someRefused', { count: failures, total: count })
              : t('tasks.bulk.allDone', { count }))}
        </div>
      </Flex>
    </Modal>
  )
}
