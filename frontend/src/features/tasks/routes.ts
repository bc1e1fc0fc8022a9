/** The pages of training. */
import type { RouteObject } from 'react-router'
import { paths } from '@/app/paths'

export const taskRoutes: RouteObject[] = [
  {
    path: paths.tasks,
    lazy: async () => ({ Component: (await import('./list/task-list-page')).TaskListPage }),
  },
  {
    path: paths.newTask,
    lazy: async () => ({ Component: (await import('./wizard/wizard-page')).WizardPage }),
  },
  {
    path: paths.compareTasks,
    lazy: async () => ({ Component: (await import('./compare/compare-page')).ComparePage }),
  },
  {
    path: paths.task(':id'),
    lazy: async () => ({ Component: (await import('./page/task-page')).TaskPage }),
  },
]
