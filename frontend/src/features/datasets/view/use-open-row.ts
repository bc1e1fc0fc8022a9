/** The row that is open: of the page, or asked for alone where the page of very long rows ended before it. */
import { useQuery } from '@tanstack/react-query'
import { datasetRowsQuery } from '../api'
import type { Row, RowsState } from './rows-state'
import type { Schemas } from '@/api/client'

/** The row; undefined while it is fetched, null when there is none at that place. */
export function useOpenRow(
  dataset: Schemas['Dataset'],
  { open, page, limit, query, split }: RowsState,
  rows: Schemas['DatasetRows'] | undefined,
): Row | null | undefined {
  const listed = open === null ? undefined : rows?.items[open - 1 - (page - 1) * limit]
  const beyond = rows !== undefined && open !== null && open > rows.total
  const alone = open !== null && rows !== undefined && !listed && !beyond
  const { data, isPlaceholderData } = useQuery({
    ...datasetRowsQuery(dataset, {
      offset: (open ?? 1) - 1,
      limit: 1,
      ...(query && { q: query }),
      ...(split && { split }),
    }),
    enabled: alone,
  })
  if (beyond) return null
  return listed ?? (alone && !isPlaceholderData ? data?.items[0] : undefined)
}
