/** The kinds of notices in the order and groups in which they are chosen. */
import type { NoticeKind } from './api'

export const kindGroups = {
  tasks: ['task_completed', 'task_failed', 'task_stopped', 'task_stalled'],
  data: ['dataset_ready', 'dataset_blocked', 'dataset_failed'],
  models: ['model_ready', 'model_failed'],
  server: ['disk_low'],
} as const satisfies Record<string, readonly NoticeKind[]>

export const allKinds: readonly NoticeKind[] = Object.values(kindGroups).flat()
