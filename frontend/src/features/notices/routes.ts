/** The page of notices, preferences and targets. */
import type { RouteObject } from 'react-router'
import { paths } from '@/app/paths'

export const noticeRoutes: RouteObject[] = [
  {
    path: paths.notices,
    lazy: async () => ({ Component: (await import('./notices-page')).NoticesPage }),
  },
]
