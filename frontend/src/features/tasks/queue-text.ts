/** Why a task waits, with the figures that came along. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'
import type { useFormat } from '@/i18n/format'

type Format = ReturnType<typeof useFormat>

const size = (format: Format, value: unknown) => format.bytes(typeof value === 'number' ? value : null)

/** `retryAt`: when it may be tried again by itself. */
export function queueText(
  t: TFunction,
  format: Format,
  queue: Schemas['Queue'] | null,
  retryAt?: string | null,
): string {
  if (!queue) return t('tasks.queue.waiting')
  const { reason, position, params } = queue
  const at = retryAt && Date.parse(retryAt) > Date.now() ? format.relative(new Date(retryAt)) : ''
  if (reason === 'retry_wait' && at) return t('tasks.queue.retry_at', { position, at })
  return t(`tasks.queue.${reason}`, {
    ...params,
    position,
    needed: size(format, params.needed_bytes),
    available: size(format, params.available_bytes),
    // A reason that this page does not know is no reason to say nothing.
    defaultValue: t('tasks.queue.position', { position }),
  })
}
