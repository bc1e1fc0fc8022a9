/** The pages of models. */
import type { RouteObject } from 'react-router'

export const modelRoutes: RouteObject[] = []
