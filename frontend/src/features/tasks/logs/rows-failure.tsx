/** Lines that could not be loaded: why, and once more. */
import { useSyncExternalStore } from 'react'
import type { LogRows } from './log-rows-model'
import { ErrorPanel } from '@/components/error-panel'

export function RowsFailure({ rows }: { rows: LogRows }) {
  const error = useSyncExternalStore(rows.subscribe, () => rows.getSnapshot().error)
  return error === undefined ? null : <ErrorPanel error={error} onRetry={() => rows.retry()} />
}
