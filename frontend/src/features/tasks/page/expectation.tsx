/** What was expected of a run beside what it took, and which of its states became the result. */
import { useTranslation } from 'react-i18next'
import type { Task } from '../api'
import { choiceText } from '../wizard/texts'
import { useFormat } from '@/i18n/format'

/**
 * How long the run took; null before it has ended. Also null where it went on from a checkpoint: times
 * are those of the present attempt, which is then not the whole.
 */
export function secondsTaken({ resumed, started_at: began, finished_at: ended }: Task): number | null {
  return !resumed && began && ended ? Math.max(0, (Date.parse(ended) - Date.parse(began)) / 1000) : null
}

function useSides() {
  const { t } = useTranslation()
  return (expected: string | null, used: string | null) =>
    [
      expected && t('tasks.summary.expected', { value: expected }),
      used && t('tasks.summary.used', { value: used }),
    ]
      .filter(Boolean)
      .join(' · ') || '–'
}

export function MemorySides({ task }: { task: Task }) {
  const format = useFormat()
  const sides = useSides()
  const { estimate, peak_memory_bytes: used } = task
  const expected = estimate?.memory_bytes
  return <>{sides(expected ? format.bytes(expected) : null, used ? format.bytes(used) : null)}</>
}

export function TimeSides({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const sides = useSides()
  const { time_low_s: low, time_high_s: high } = task.estimate ?? {}
  const between =
    low == null || high == null
      ? null
      : t('wizard.run.between', { low: format.duration(low), high: format.duration(high) })
  const taken = task.status === 'COMPLETED' ? secondsTaken(task) : null
  return <>{sides(between, taken === null ? null : format.duration(taken))}</>
}

/**
 * `Step 40: the best on held-out rows`; null until there is a result that says so. Where nothing was
 * held out there is no best: the last state was taken, whatever was asked for.
 */
export function useResultText(task: Task): string | null {
  const { t } = useTranslation()
  const format = useFormat()
  const step = task.metrics.output_step
  const asked = task.hyperparameters.output_checkpoint
  if (step == null || !asked) return null
  const which = task.metrics.eval_loss == null ? 'last' : asked
  return t('tasks.summary.resultStep', { step: format.number(step), which: choiceText(t, which) })
}
