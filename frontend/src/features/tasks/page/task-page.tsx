/** One run: its state, its numbers, its log, live. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Tabs, Typography } from 'antd'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { isLive, rememberTask, taskQuery, updateTask, type Task } from '../api'
import { ExportsTab } from '../exports/exports-tab'
import { LogViewer } from '../logs/log-viewer'
import { CheckpointsTab } from './checkpoints-tab'
import { ConfigTab } from './config-tab'
import { FailurePanel } from './failure-panel'
import { EventsTab } from './events-tab'
import { MetricsTab } from './metrics-tab'
import { SamplesTab } from './samples-tab'
import { SummaryTab } from './summary-tab'
import { TaskActions } from './task-actions'
import { TaskNotices } from './task-notices'
import { TaskStrip } from './task-strip'
import { useLiveTask, useNoticeNewAttempt } from './use-live-task'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { PageFailure } from '@/components/page-failure'
import { PageHeader } from '@/components/page-header'
import { JobStatusTag } from '@/components/status-tag'
import { useSearchState } from '@/components/use-search-state'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

function useTabTitle(task: Task): string {
  const { t } = useTranslation()
  const format = useFormat()
  if (task.status === 'RUNNING') return `${format.percent(task.progress)} ${task.name}`
  return isLive(task) ? task.name : `${t(`status.job.${task.status}`)}: ${task.name}`
}

function TaskView({ task }: { task: Task }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const showError = useShowError()
  const [{ tab }, setSearch] = useSearchState({ tab: 'summary' })
  const live = isLive(task)
  useLiveTask(task.id, live)
  useNoticeNewAttempt(task)
  const rename = (name: string) => {
    if (!name.trim() || name === task.name) return
    updateTask(task.id, { name }).then((answer) => rememberTask(client, answer), showError)
  }
  const items = [
    { key: 'summary', children: <SummaryTab task={task} /> },
    { key: 'metrics', children: <MetricsTab task={task} /> },
    { key: 'logs', children: <LogViewer key={task.attempt} taskId={task.id} attempts={task.attempt} live={live} /> },
    { key: 'samples', children: <SamplesTab task={task} /> },
    { key: 'exports', children: <ExportsTab task={task} /> },
    { key: 'config', children: <ConfigTab task={task} /> },
    { key: 'checkpoints', children: <CheckpointsTab task={task} /> },
    { key: 'events', children: <EventsTab task={task} /> },
  ] as const
  return (
    <>
      <PageHeader
        trail={[{ label: t('shell.nav.tasks'), to: paths.tasks }]}
        title={
          <Typography.Text
            style={{ fontSize: 'inherit' }}
            editable={{ onChange: rename, maxLength: 200, tooltip: t('tasks.actions.rename') }}
          >
            {task.name}
          </Typography.Text>
        }
        documentTitle={useTabTitle(task)}
        status={<JobStatusTag status={task.status} />}
        actions={<TaskActions task={task} />}
      />
      {task.status === 'FAILED' && <FailurePanel task={task} brief={tab !== 'summary'} />}
      <TaskNotices task={task} />
      <TaskStrip task={task} />
      <Tabs
        activeKey={tab}
        onChange={(key) => setSearch({ tab: key })}
        destroyOnHidden
        items={items.map((item) => ({ ...item, label: t(`tasks.tabs.${item.key}`) }))}
      />
    </>
  )
}

export function TaskPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const { data, error, refetch } = useQuery(taskQuery(id))
  useEffect(() => {
    window.scrollTo(0, 0)
  }, [id])
  if (data) return <TaskView key={data.id} task={data} />
  const list = { label: t('shell.nav.tasks'), to: paths.tasks }
  if (error) return <PageFailure error={error} list={list} onRetry={() => void refetch()} />
  return <DelayedSkeleton rows={8} />
}
