/** The page of host facts. */
import type { RouteObject } from 'react-router'
import { paths } from '@/app/paths'

export const systemRoutes: RouteObject[] = [
  {
    path: paths.system,
    lazy: async () => ({ Component: (await import('./system-page')).SystemPage }),
  },
]
