/** The page to talk to models. */
import type { RouteObject } from 'react-router'

export const playgroundRoutes: RouteObject[] = []
