/** Exports of a task: what can be had, what was asked for, how far it is. */
import { queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'

export type Export = Schemas['Export']
export type ExportChoice = Schemas['ExportChoice']
export type ExportFormat = Schemas['ExportFormat']

const LIVE = new Set<Export['status']>(['PENDING', 'PREPARING', 'RUNNING', 'STOPPING'])
export const isUnderWay = ({ status }: Export) => LIVE.has(status)

const path = (id: string) => ({ path: { task_id: id } })
const key = (id: string, part: string) => ['tasks', 'one', id, 'exports', part]

export const exportsQuery = (id: string) =>
  queryOptions({
    queryKey: key(id, 'list'),
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/tasks/{task_id}/exports', { params: path(id), signal })),
    refetchInterval: ({ state }) => (state.data?.items.some(isUnderWay) ? 1_500 : false),
  })

export const exportChoicesQuery = (id: string) =>
  queryOptions({
    queryKey: key(id, 'formats'),
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/tasks/{task_id}/exports/formats', { params: path(id), signal })),
  })

export const createExport = (id: string, body: Schemas['ExportCreate']) =>
  take(api.POST('/api/v1/tasks/{task_id}/exports', { params: path(id), body }))

export const deleteExport = (id: string, exportId: string) =>
  take(
    api.DELETE('/api/v1/tasks/{task_id}/exports/{export_id}', {
      params: { path: { task_id: id, export_id: exportId } },
    }),
  )

export const downloadUrl = ({ id, task_id: task }: Export) =>
  `/api/v1/tasks/${task}/exports/${id}/download`
