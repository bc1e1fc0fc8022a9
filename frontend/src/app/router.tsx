/** Which page stands at which address. Every page is loaded when it is first opened. */
import { createBrowserRouter, type RouteObject } from 'react-router'
import { paths } from './paths'
import { Crashed } from './shell/crashed'
import { NotFound } from './shell/not-found'
import { PublicFrame } from './shell/public-frame'
import { SignedIn } from './shell/signed-in'
import { accountRoutes } from '@/features/accounts/routes'
import { datasetRoutes } from '@/features/datasets/routes'
import { modelRoutes } from '@/features/models/routes'
import { noticeRoutes } from '@/features/notices/routes'
import { playgroundRoutes } from '@/features/playground/routes'
import { systemRoutes } from '@/features/system/routes'
import { taskRoutes } from '@/features/tasks/routes'

const routes: RouteObject[] = [
  {
    ErrorBoundary: Crashed,
    HydrateFallback: () => null,
    children: [
      { Component: PublicFrame, children: accountRoutes },
      {
        Component: SignedIn,
        children: [
          {
            // An error of a page leaves the frame standing.
            ErrorBoundary: Crashed,
            children: [
              {
                path: paths.overview,
                lazy: async () => ({
                  Component: (await import('./overview/overview-page')).OverviewPage,
                }),
              },
              ...datasetRoutes,
              ...modelRoutes,
              ...taskRoutes,
              ...playgroundRoutes,
              ...noticeRoutes,
              ...systemRoutes,
              { path: '*', Component: NotFound },
            ],
          },
        ],
      },
    ],
  },
]

export const router = createBrowserRouter(routes)

/** Fetches every page while nothing else is to do, so that the next click does not wait for it. */
export function preloadPages(among: RouteObject[] = routes): void {
  for (const { lazy, children } of among) {
    // A page that can not be fetched now is fetched, and its failure shown, when it is opened.
    if (typeof lazy === 'function') void lazy().catch(() => undefined)
    if (children) preloadPages(children)
  }
}
