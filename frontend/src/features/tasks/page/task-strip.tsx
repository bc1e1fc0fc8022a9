/** Where the run stands, in one line: progress, step, epoch, time left, speed. */
import { Flex, Progress, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { isLive, type Task } from '../api'
import { queueText } from '../queue-text'
import { isShare, ownMetrics } from './metric-groups'
import { Duration } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { useNow } from '@/components/use-now'
import { useFormat } from '@/i18n/format'

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div style={{ minWidth: 72 }}>
      <div className="secondary" style={{ fontSize: 12 }}>
        {label}
      </div>
      <div className="numeric">{children}</div>
    </div>
  )
}

function elapsedSeconds(task: Task, now: number): number | null {
  if (!task.started_at) return null
  const end = task.finished_at ? Date.parse(task.finished_at) : now
  return Math.max(0, (end - Date.parse(task.started_at)) / 1000)
}

/** Before as many steps nothing is known of what is to come. */
const LEAST_STEPS = 10

/** Null where it is not known, or where nothing moves: a wrong figure is worse than none. */
export function secondsLeft(task: Pick<Task, 'status' | 'eta_s' | 'step'>): number | null {
  const { status, eta_s: eta, step } = task
  const moving = status === 'RUNNING' || status === 'PREPARING'
  return moving && eta != null && eta >= 0 && step >= LEAST_STEPS ? eta : null
}

export function TaskStrip({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  const live = isLive(task)
  const left = secondsLeft(task)
  const loss = task.metrics.loss
  const evaluation = task.metrics.eval_loss
  return (
    <section aria-label={t('tasks.strip.title')} style={{ marginBottom: 16 }}>
      {task.status === 'PENDING' ? (
        <Typography.Text type="secondary">
          {queueText(t, format, task.queue, task.retry_at)}
        </Typography.Text>
      ) : (
        <Progress
          percent={task.progress * 100}
          format={() => format.percent(task.progress)}
          status={live ? 'active' : task.status === 'FAILED' ? 'exception' : undefined}
          aria-label={t('tasks.strip.progress')}
        />
      )}
      <Flex gap={24} wrap style={{ marginTop: 8 }}>
        {live && task.phase && task.status !== 'PENDING' && (
          <Fact label={t('tasks.strip.phase')}>{t(`tasks.phases.${task.phase}`)}</Fact>
        )}
        {task.total_steps != null && (
          <Fact label={t('tasks.strip.step')}>
            {`${format.number(task.step)} / ${format.number(task.total_steps)}`}
          </Fact>
        )}
        {task.epoch != null && (
          <Fact label={t('tasks.strip.epoch')}>{format.number(task.epoch, 2)}</Fact>
        )}
        {loss != null && <Fact label={t('tasks.strip.loss')}>{format.value(loss)}</Fact>}
        {evaluation != null && (
          <Fact label={t('tasks.strip.evalLoss')}>{format.value(evaluation)}</Fact>
        )}
        {ownMetrics(task.metrics).map(({ name, value, heldOut }) => (
          <Fact key={name} label={t(`tasks.metrics.${name}`)}>
            <span title={t(heldOut ? 'tasks.chart.heldOut' : 'tasks.chart.whileTraining')}>
              {isShare(name) ? format.percent(value, 1) : format.value(value)}
            </span>
          </Fact>
        ))}
        {left !== null && (
          <Fact label={t('tasks.strip.left')}>
            {t('tasks.strip.about', { duration: format.about(left) })}
          </Fact>
        )}
        {task.started_at && (
          <Fact label={t('tasks.strip.elapsed')}>
            <Duration seconds={elapsedSeconds(task, now)} />
          </Fact>
        )}
        {task.tokens_per_s != null && (
          <Fact label={t('tasks.strip.speed')}>
            {t('tasks.strip.tokensPerSecond', { value: format.number(task.tokens_per_s, 0) })}
          </Fact>
        )}
        {task.peak_memory_bytes != null && (
          <Fact label={t(task.device_used?.startsWith('cuda') ? 'tasks.strip.gpuMemory' : 'tasks.strip.memory')}>
            {format.bytes(task.peak_memory_bytes)}
          </Fact>
        )}
        {task.finished_at && (
          <Fact label={t('tasks.strip.ended')}>
            <RelativeTime at={task.finished_at} />
          </Fact>
        )}
      </Flex>
    </section>
  )
}
