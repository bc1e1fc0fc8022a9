/** The pages of data sets. */
import type { RouteObject } from 'react-router'
import { paths } from '@/app/paths'

export const datasetRoutes: RouteObject[] = [
  {
    path: paths.datasets,
    lazy: async () => ({ Component: (await import('./dataset-list-page')).DatasetListPage }),
  },
  {
    path: paths.dataset(':datasetId'),
    lazy: async () => ({ Component: (await import('./dataset-page')).DatasetPage }),
  },
  {
    path: paths.prepareDataset(':datasetId'),
    lazy: async () => ({ Component: (await import('./prepare/prepare-page')).PreparePage }),
  },
]
