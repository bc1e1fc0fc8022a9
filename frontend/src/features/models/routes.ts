/** The page of base models. */
import type { RouteObject } from 'react-router'
import { paths } from '@/app/paths'

export const modelRoutes: RouteObject[] = [
  {
    path: paths.models,
    lazy: async () => ({ Component: (await import('./models-page')).ModelsPage }),
  },
]
