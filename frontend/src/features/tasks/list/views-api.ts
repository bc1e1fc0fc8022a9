/** The user's own named views of the list. */
import { queryOptions } from '@tanstack/react-query'
import { api, take, type Schemas } from '@/api/client'

export type ListView = Schemas['ListView']

export const viewsQuery = () =>
  queryOptions({
    queryKey: ['tasks', 'views'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/tasks/views', { signal })),
    staleTime: 60_000,
  })

export const createView = (body: Schemas['ListViewSave']) => take(api.POST('/api/v1/tasks/views', { body }))

export const saveView = (view_id: string, body: Schemas['ListViewSave']) =>
  take(api.PUT('/api/v1/tasks/views/{view_id}', { params: { path: { view_id } }, body }))

export const deleteView = (view_id: string) =>
  take(api.DELETE('/api/v1/tasks/views/{view_id}', { params: { path: { view_id } } }))
