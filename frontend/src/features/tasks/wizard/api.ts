/**
 * What the wizard asks the server. Lists of models and data have the query keys of their own
 * features, so that whoever has loaded them already has them here.
 */
import { keepPreviousData, queryOptions, skipToken } from '@tanstack/react-query'
import type { DraftCalls } from './draft-saver'
import type { TaskCreate, TaskPlan } from './values'
import { api, take, type Schemas } from '@/api/client'

export type Model = Schemas['Model']
export type Dataset = Schemas['Dataset']

const MAX_OPTIONS = 200
const REFRESH_MS = 1500

const isMoving = (model: Model) => model.status === 'downloading' || model.status === 'converting'

export const modelOptionsQuery = () =>
  queryOptions({
    queryKey: ['models', 'list', { limit: MAX_OPTIONS }],
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/models', { params: { query: { limit: MAX_OPTIONS } }, signal })),
    refetchInterval: ({ state }) => (state.data?.items.some(isMoving) ? REFRESH_MS : false),
  })

export const datasetOptionsQuery = () =>
  queryOptions({
    queryKey: ['datasets', 'list', { limit: MAX_OPTIONS }],
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/datasets', { params: { query: { limit: MAX_OPTIONS } }, signal })),
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ status }) => status === 'importing') ? REFRESH_MS : false,
  })

/** The versions of a data set and their parts; waits (null) until one is chosen. */
export const versionsQuery = (dataset: Pick<Dataset, 'id' | 'version' | 'status'> | null) =>
  queryOptions({
    queryKey: ['datasets', 'one', dataset?.id, 'versions', dataset?.version, dataset?.status],
    queryFn: dataset
      ? ({ signal }) =>
          take(
            api.GET('/api/v1/datasets/{dataset_id}/versions', {
              params: { path: { dataset_id: dataset.id } },
              signal,
            }),
          )
      : skipToken,
  })

export const examplesQuery = () =>
  queryOptions({
    queryKey: ['datasets', 'examples'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/datasets/examples', { signal })),
    staleTime: Infinity,
  })

export const addStarter = () =>
  take(api.POST('/api/v1/models', { body: { source: 'starter', reference: '' } }))

export const addExample = (example: string) =>
  take(api.POST('/api/v1/datasets/examples', { body: { example } }))

export const hostQuery = () =>
  queryOptions({
    queryKey: ['system', 'facts'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/system', { signal })),
    select: ({ gpus, cpu }) => ({ gpus: gpus.length, cores: cpu.cores }),
    staleTime: Infinity,
  })

export interface Pair {
  model_id: string
  dataset_id: string
  objective: Schemas['Objective']
}

// The three questions below wait (null) until there is something to ask.
export const compatibilityQuery = (query: Pair | null) =>
  queryOptions({
    queryKey: ['tasks', 'compatibility', query],
    queryFn: query
      ? ({ signal }) => take(api.GET('/api/v1/tasks/compatibility', { params: { query }, signal }))
      : skipToken,
    // What keeps them apart may pass by itself: an import, a download.
    refetchInterval: ({ state }) => (state.data && !state.data.ok ? 2 * REFRESH_MS : false),
  })

export const recommendationQuery = (body: Schemas['RecommendRequest'] | null) =>
  queryOptions({
    queryKey: ['tasks', 'recommend', body],
    queryFn: body
      ? ({ signal }) => take(api.POST('/api/v1/tasks/recommend', { body, signal }))
      : skipToken,
    placeholderData: keepPreviousData,
    staleTime: 5 * 60_000,
  })

export const estimateQuery = (body: TaskPlan | null) =>
  queryOptions({
    queryKey: ['tasks', 'estimate', body],
    queryFn: body
      ? ({ signal }) => take(api.POST('/api/v1/tasks/estimate', { body, signal }))
      : skipToken,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })

export const draftListQuery = () =>
  queryOptions({
    queryKey: ['tasks', 'drafts'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/tasks/drafts', { signal })),
  })

export const getDraft = (id: string) =>
  take(api.GET('/api/v1/tasks/drafts/{draft_id}', { params: { path: { draft_id: id } } }))

export const deleteDraft = (id: string) =>
  take(api.DELETE('/api/v1/tasks/drafts/{draft_id}', { params: { path: { draft_id: id } } }))

// Saved also while the page is being left: `keepalive` lets the browser finish the request.
export const draftCalls: DraftCalls = {
  create: (body) => take(api.POST('/api/v1/tasks/drafts', { body, keepalive: true })),
  save: (id, body) =>
    take(
      api.PUT('/api/v1/tasks/drafts/{draft_id}', {
        params: { path: { draft_id: id } },
        body,
        keepalive: true,
      }),
    ),
}

export const createTask = (body: TaskCreate, key: string) =>
  take(
    api.POST('/api/v1/tasks', { params: { header: { 'Idempotency-Key': key } }, body }),
  )

