/** What a report of a failure should contain: the run, its settings, its events, the end of its log. */
import { failureLogQuery, eventsQuery, type Task } from '../api'
import type { QueryClient } from '@tanstack/react-query'

const LINES = 60

/** As text to be pasted; fetches what is not there yet. What can not be fetched is left out. */
export async function diagnosticsOf(task: Task, client: QueryClient): Promise<string> {
  const [log, events] = await Promise.allSettled([
    client.ensureQueryData(failureLogQuery(task)),
    client.ensureQueryData(eventsQuery(task.id)),
  ])
  const { id, attempt, status, step, total_steps, device_used, device_reason, method, objective } = task
  const facts = {
    id, attempt, status, step, total_steps, device: device_used, device_reason, method, objective,
    model: task.model.name,
    hyperparameters: task.hyperparameters,
    peak_memory_bytes: task.peak_memory_bytes,
    started_at: task.started_at,
    finished_at: task.finished_at,
    error: task.error,
  } // prettier-ignore
  const said = events.status === 'fulfilled' ? events.value : []
  const lines = log.status === 'fulfilled' ? log.value.items.slice(-LINES) : []
  return [
    JSON.stringify(facts, null, 2),
    ...said.map(({ at, level, type, code, message }) => `${at} ${level} ${type}.${code}: ${message}`),
    '',
    ...lines.map(({ number, at, level, text }) => `${number} ${at} ${level} ${text}`),
  ].join('\n')
}
