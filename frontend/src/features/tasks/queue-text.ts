/** Why a task waits, with the figures that came along. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'
import type { useFormat } from '@/i18n/format'

const size = (format: ReturnType<typeof useFormat>, value: unknown) =>
  format.bytes(typeof value === 'number' ? value : null)

export function queueText(
  t: TFunction,
  format: ReturnType<typeof useFormat>,
  queue: Schemas['Queue'] | null,
): string {
  if (!queue) return t('tasks.queue.waiting')
  const { reason, position, params } = queue
  return t(`tasks.queue.${reason}`, {
    ...params,
    position,
    needed: size(format, params.needed_bytes),
    available: size(format, params.available_bytes),
  })
}
