/** When the log began: what relative times count from. */
import { useQuery } from '@tanstack/react-query'
import { getPage } from './log-api'

/** The time of the first line; null while it is not needed or not known. */
export function useLogStart(task: string, attempt: number, needed: boolean): string | null {
  const { data } = useQuery({
    queryKey: ['tasks', 'one', task, 'logs', 'start', attempt],
    queryFn: async ({ signal }) => (await getPage(task, { attempt, limit: 1 }, signal)).items[0]?.at ?? null,
    enabled: needed,
    // An empty log may have begun since.
    refetchInterval: ({ state }) => (needed && state.data === null ? 3_000 : false),
  })
  return needed ? (data ?? null) : null
}
