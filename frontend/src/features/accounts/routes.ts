/** The pages before anybody is signed in. */
import type { RouteObject } from 'react-router'
import { paths } from '@/app/paths'

export const accountRoutes: RouteObject[] = [
  {
    path: paths.setup,
    lazy: async () => ({ Component: (await import('./setup-page')).SetupPage }),
  },
  {
    path: paths.login,
    lazy: async () => ({ Component: (await import('./login-page')).LoginPage }),
  },
]
