/** The pages of training. */
import type { RouteObject } from 'react-router'

export const taskRoutes: RouteObject[] = []
