/** Where the jump search can go: pages and actions by their names, the rest asked of the server. */
import { useQuery } from '@tanstack/react-query'
import { useDeferredValue } from 'react'
import { useTranslation } from 'react-i18next'
import { paths, withQuery } from '../paths'
import { places } from './navigation'
import { datasetListQuery } from '@/features/datasets/api'
import { modelListQuery } from '@/features/models/api'
import { taskListQuery } from '@/features/tasks/api'

export interface JumpTarget {
  key: string
  label: string
  detail?: string
  to: string
}

export interface JumpGroup {
  name: 'actions' | 'pages' | 'tasks' | 'datasets' | 'models'
  targets: JumpTarget[]
}

const LIMIT = 5

/** Groups with at least one target that matches. */
export function useJumpTargets(query: string): JumpGroup[] {
  const { t } = useTranslation()
  const q = useDeferredValue(query.trim())
  const search = q ? { q, limit: LIMIT } : { limit: LIMIT }
  const tasks = useQuery(taskListQuery(search))
  const datasets = useQuery(datasetListQuery(search))
  const models = useQuery(modelListQuery(search))

  const named = (label: string) => label.toLowerCase().includes(query.trim().toLowerCase())
  const groups: JumpGroup[] = [
    {
      name: 'tasks',
      targets: (tasks.data?.items ?? []).map((task) => ({
        key: task.id,
        label: task.name,
        detail: t(`status.job.${task.status}`),
        to: paths.task(task.id),
      })),
    },
    {
      name: 'datasets',
      targets: (datasets.data?.items ?? []).map((dataset) => ({
        key: dataset.id,
        label: dataset.name,
        detail: t(`status.dataset.${dataset.status}`),
        to: paths.dataset(dataset.id),
      })),
    },
    {
      name: 'models',
      targets: (models.data?.items ?? []).map((model) => ({
        key: model.id,
        label: model.name,
        detail: t(`status.model.${model.status}`),
        to: withQuery(paths.models, { q: model.name }),
      })),
    },
    {
      name: 'actions',
      targets: (
        [
          ['newTask', paths.newTask],
          ['upload', withQuery(paths.datasets, { upload: '1' })],
          ['addModel', withQuery(paths.models, { add: '1' })],
        ] as const
      )
        .map(([key, to]) => ({ key, to, label: t(`shell.jump.actions.${key}`) }))
        .filter(({ label }) => named(label)),
    },
    {
      name: 'pages',
      targets: places
        .map(([key, to]) => ({ key, to, label: t(`shell.nav.${key}`) }))
        .filter(({ label }) => named(label)),
    },
  ]
  return groups.filter((group) => group.targets.length > 0)
}
