/** How the query cache behaves: what is temporary is tried again, what is refused is shown. */
import { QueryClient } from '@tanstack/react-query'
import { onConnectionChange } from './connection'
import { isTemporary } from './errors'

export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < 2 && isTemporary(error),
        retryDelay: (failures) => 500 * 2 ** failures,
        // The browser's idea of "offline" says nothing about a server on this machine.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
  onConnectionChange((reachable) => {
    if (reachable) void client.invalidateQueries()
  })
  return client
}
