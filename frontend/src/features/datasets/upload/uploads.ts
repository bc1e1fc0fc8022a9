/**
 * The uploads of this browser tab. They live outside the pages, so that they go on while the user
 * looks at something else; leaving the app while one is under way asks first.
 */
import { useSyncExternalStore } from 'react'
import { isBusy, reduceUploads, startable, type Upload, type UploadAction } from './upload-list'
import { newIdempotencyKey, type Schemas } from '@/api/client'
import { upload as send } from '@/api/upload'

const URL = '/api/v1/datasets'

let uploads: Upload[] = []
let lastId = 0
const listeners = new Set<() => void>()
const running = new Map<string, AbortController>()
let onFinished: () => void = () => undefined

function dispatch(action: UploadAction): void {
  uploads = reduceUploads(uploads, action)
  listeners.forEach((listener) => listener())
  if (isBusy(uploads)) window.addEventListener('beforeunload', warn)
  else window.removeEventListener('beforeunload', warn)
}

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

async function run({ id, file, key }: Upload): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  dispatch({ type: 'started', id, at: performance.now() })
  const form = new FormData()
  form.set('file', file, file.name)
  try {
    const dataset = await send<Schemas['Dataset']>(URL, form, {
      signal: controller.signal,
      idempotencyKey: key,
      onProgress: (sent, total) => {
        // The form around the file is not the file.
        const sentBytes = total > 0 ? Math.round((sent / total) * file.size) : 0
        dispatch({ type: 'progressed', id, sentBytes, at: performance.now() })
      },
    })
    dispatch({ type: 'done', id, datasetId: dataset.id })
  } catch (error) {
    if (controller.signal.aborted) dispatch({ type: 'cancelled', id })
    else dispatch({ type: 'failed', id, error })
  } finally {
    running.delete(id)
    onFinished()
    advance()
  }
}

function advance(): void {
  for (const upload of startable(uploads)) void run(upload)
}

export function addFiles(files: Iterable<File>): void {
  const added = [...files].map((file) => ({
    id: `upload-${++lastId}`,
    key: newIdempotencyKey(),
    file,
  }))
  dispatch({ type: 'added', files: added })
  advance()
}

export function cancelUpload(id: string): void {
  const controller = running.get(id)
  if (controller) controller.abort()
  else dispatch({ type: 'cancelled', id })
}

export function retryUpload(id: string): void {
  dispatch({ type: 'retried', id })
  advance()
}

export const dismissUpload = (id: string) => dispatch({ type: 'dismissed', id })

/** Called when an upload has ended, however it ended: the place to refresh the list. */
export function whenUploadEnds(action: () => void): () => void {
  onFinished = action
  return () => {
    if (onFinished === action) onFinished = () => undefined
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useUploads = () => useSyncExternalStore(subscribe, () => uploads)
