/** What came of each run, row by row. */
import { useTranslation } from 'react-i18next'
import type { ConfigRow } from './config-rows'
import type { Compared } from './use-compared'
import { tookSeconds } from '../list/list-view'
import { isShare } from '../page/metric-groups'
import type { Schemas } from '@/api/client'
import { useNow } from '@/components/use-now'
import { useFormat } from '@/i18n/format'

type Points = Schemas['MetricPoint'][]

/** The lowest value and its step; null where nothing was measured. */
export function lowest(points: Points | undefined): { value: number; step: number } | null {
  let found: { value: number; step: number } | null = null
  for (const { step, value } of points ?? []) {
    if (value !== null && (!found || value < found.value)) found = { value, step }
  }
  return found
}

// Rows of their own, or no measures of the result.
const SAID_ELSEWHERE = new Set(['loss', 'eval_loss', 'output_step', 'best_step', 'learning_rate', 'grad_norm', 'tokens_per_s'])

export function useResultRows(runs: readonly Compared[]): ConfigRow[] {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow()
  const row = (key: string, label: string, read: (run: Compared) => string): ConfigRow => {
    const values = runs.map(read)
    return { key, label, values, differs: new Set(values).size > 1 }
  }
  const best = ({ metrics, task }: Compared) => {
    const found = task.best_metric ?? lowest(metrics?.series.eval_loss)
    return found ? t('tasks.compare.bestAt', { value: format.value(found.value), step: format.number(found.step) }) : '–'
  }
  const others = [...new Set(runs.flatMap(({ task }) => Object.keys(task.metrics)))].filter(
    (name) => !SAID_ELSEWHERE.has(name),
  )
  const title = (name: string): string => {
    const heldOut = name.startsWith('eval_')
    const base = heldOut ? name.slice(5) : name
    const words = t(`tasks.metrics.${base}` as 'tasks.metrics.loss', { defaultValue: base })
    return heldOut ? `${words} · ${t('tasks.chart.heldOut')}` : words
  }
  return [
    row('loss', t('tasks.metrics.loss'), ({ task }) => format.value(task.metrics.loss)),
    row('eval_loss', t('tasks.metrics.eval_loss'), ({ task }) => format.value(task.metrics.eval_loss)),
    row('best', t('tasks.compare.best'), best),
    ...others.map((name) =>
      row(name, title(name), ({ task }) => {
        const value = task.metrics[name]
        return isShare(name.replace(/^eval_/, '')) ? format.percent(value, 1) : format.value(value)
      }),
    ),
    row('steps', t('tasks.strip.step'), ({ task }) =>
      task.total_steps == null ? '–' : `${format.number(task.step)} / ${format.number(task.total_steps)}`,
    ),
    row('duration', t('tasks.columns.took'), ({ task }) => format.duration(tookSeconds(task, now))),
    row('speed', t('tasks.strip.speed'), ({ task }) =>
      task.tokens_per_s == null
        ? '–'
        : t('tasks.strip.tokensPerSecond', { value: format.number(task.tokens_per_s, 0) }),
    ),
    row('memory', t('tasks.config.memoryUsed'), ({ task }) => format.bytes(task.peak_memory_bytes)),
    row('tags', t('tasks.columns.tags'), ({ task }) => task.tags.join(', ') || '–'),
    row('created', t('general.created'), ({ task }) => format.dateTime(new Date(task.created_at))),
  ]
}
