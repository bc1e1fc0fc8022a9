/**
 * The uploads of this browser tab. They live outside the pages, so that they go on while the user
 * looks at something else; leaving the app while one is under way asks first. What is interrupted
 * all the same goes on when the same file is chosen again.
 */
import { useSyncExternalStore } from 'react'
import { grouped } from './grouping'
import { isBusy, isComplete, reduceUploads, startable, type Upload, type UploadAction } from './upload-list'
import { api, newIdempotencyKey, take } from '@/api/client'
import { fingerprintOf, listUploads, transfer, UPLOADS_URL, type Transfer } from '@/api/resumable-upload'

let uploads: Upload[] = []
let lastId = 0
const listeners = new Set<() => void>()
const transfers = new Map<string, Transfer>()
/** Groups whose data set is being made: asked for once. */
const storing = new Set<string>()
/** Which upload on the server a file of this tab is, or goes on with. */
const onServer = new Map<string, string>()
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

const find = (id: string) => uploads.find((upload) => upload.id === id)

/** The address of an earlier upload of the same file, or null. */
async function earlier(id: string, file: File): Promise<string | null> {
  const fingerprint = fingerprintOf(file)
  const known = await listUploads().catch(() => [])
  const same = known.find(
    (each) =>
      each.metadata.fingerprint === fingerprint &&
      each.size_bytes === file.size &&
      !isTaken(each.id),
  )
  if (!same) return null
  onServer.set(id, same.id)
  return `${UPLOADS_URL}/${same.id}`
}

async function run({ id, file, group }: Upload): Promise<void> {
  dispatch({ type: 'started', id, at: performance.now() })
  const before = transfers.get(id)
  if (before) {
    before.resume()
    return
  }
  const url = await earlier(id, file)
  if (find(id)?.status !== 'sending') return // paused or cancelled meanwhile
  const started = transfer(file, url, {
    onBegun: (uploadId) => onServer.set(id, uploadId),
    onPlaced: (sentBytes) => dispatch({ type: 'placed', id, sentBytes, at: performance.now() }),
    onProgress: (sentBytes) =>
      dispatch({ type: 'progressed', id, sentBytes, at: performance.now() }),
    onArrived: (uploadId) => {
      dispatch({ type: 'arrived', id, uploadId })
      void store(group)
      advance()
    },
    onError: (error) => {
      dispatch({ type: 'failed', id, error })
      onFinished()
      advance()
    },
  })
  transfers.set(id, started)
}

/** When all files of a group are there, they become a data set. */
async function store(group: string): Promise<void> {
  if (storing.has(group) || !isComplete(uploads, group)) return
  storing.add(group)
  const ids = uploads.flatMap((each) =>
    each.group === group && each.uploadId && each.status === 'arrived' ? [each.uploadId] : [],
  )
  try {
    const dataset = await take(
      api.POST('/api/v1/datasets', {
        body: { uploads: ids },
        // One for all tries: what was stored after all is not stored twice.
        headers: { 'Idempotency-Key': group },
      }),
    )
    dispatch({ type: 'stored', group, datasetId: dataset.id, sameAs: dataset.same_as })
  } catch (error) {
    dispatch({ type: 'refused', group, error })
  } finally {
    storing.delete(group)
    onFinished()
  }
}

function advance(): void {
  for (const upload of startable(uploads)) void run(upload)
}

export function addFiles(files: Iterable<File>): void {
  const added = grouped([...files]).flatMap((together) => {
    const group = newIdempotencyKey()
    return together.map((file) => ({ id: `upload-${++lastId}`, group, file }))
  })
  if (added.length === 0) return
  dispatch({ type: 'added', files: added })
  advance()
}

export function pauseUpload(id: string): void {
  dispatch({ type: 'paused', id })
  transfers.get(id)?.pause()
  advance()
}

/** Go on after a pause or a failure. */
export function retryUpload(id: string): void {
  const group = find(id)?.group
  for (const each of uploads) {
    const failedBeside = each.group === group && each.status === 'failed'
    if (each.id === id || failedBeside) dispatch({ type: 'retried', id: each.id })
  }
  if (group) void store(group)
  advance()
}

export function cancelUpload(id: string): void {
  const group = find(id)?.group
  dispatch({ type: 'cancelled', id })
  const running = transfers.get(id)
  transfers.delete(id)
  // What could not be removed now is removed by the server after a day.
  void (running?.cancel() ?? Promise.resolve()).catch(() => undefined).finally(() => onFinished())
  if (group) void store(group)
  advance()
}

export function dismissUpload(id: string): void {
  transfers.delete(id)
  onServer.delete(id)
  dispatch({ type: 'dismissed', id })
  onFinished()
}

/** Called when an upload has ended, however it ended: the place to refresh the list. */
export function whenUploadEnds(action: () => void): () => void {
  onFinished = action
  return () => {
    if (onFinished === action) onFinished = () => undefined
  }
}

/** Whether a file of this tab is this upload. */
export const isTaken = (uploadId: string) => [...onServer.values()].includes(uploadId)

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useUploads = () => useSyncExternalStore(subscribe, () => uploads)
