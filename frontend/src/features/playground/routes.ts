/** The page to talk to models. */
import type { RouteObject } from 'react-router'
import { paths } from '@/app/paths'

export const playgroundRoutes: RouteObject[] = [
  {
    path: paths.playground,
    lazy: async () => ({ Component: (await import('./playground-page')).PlaygroundPage }),
  },
]
