/** Data sets of hubs: adding one, choosing another part of one. */
import { api, take, type Schemas } from '@/api/client'

export type Hub = Schemas['HubSource']

export interface HubRequest {
  source: Hub
  reference: string
  subset: string | null
  split: string | null
  revision: string | null
}

export const addFromHub = (body: HubRequest) => take(api.POST('/api/v1/datasets', { body }))

/** Why there is a choice to make, instead of something that is broken. */
const CHOICES = new Set(['choose_subset', 'choose_split', 'no_such_subset', 'no_such_split'])

export const isChoice = (error: Schemas['DatasetError'] | null) =>
  error !== null && CHOICES.has(error.code)
