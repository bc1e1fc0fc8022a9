/** What the list of uploads knows, as a pure reducer: who waits, who sends, how fast, how it ended. */

export type UploadStatus =
  'waiting' | 'sending' | 'paused' | 'arrived' | 'done' | 'failed' | 'cancelled'

export interface NewUpload {
  id: string
  file: File
  /** Files that become one data set share it. */
  group: string
}

export interface Upload extends NewUpload {
  status: UploadStatus
  sentBytes: number
  /** Smoothed; null until two measurements are known. */
  bytesPerS: number | null
  /** Of the last measurement, in milliseconds. */
  measuredAt: number
  error?: unknown
  /** On the server, once all of it is there. */
  uploadId?: string
  datasetId?: string
  /** The data set that was made of the same bytes before. */
  sameAs?: { id: string; name: string } | null
}

type OfOne =
  | { type: 'started'; id: string; at: number }
  | { type: 'placed'; id: string; sentBytes: number; at: number }
  | { type: 'progressed'; id: string; sentBytes: number; at: number }
  | { type: 'paused'; id: string }
  | { type: 'arrived'; id: string; uploadId: string }
  | { type: 'failed'; id: string; error: unknown }
  | { type: 'cancelled'; id: string }
  | { type: 'retried'; id: string }

type OfGroup =
  | { type: 'stored'; group: string; datasetId: string; sameAs: Upload['sameAs'] }
  | { type: 'refused'; group: string; error: unknown }

export type UploadAction =
  { type: 'added'; files: NewUpload[] } | { type: 'dismissed'; id: string } | OfOne | OfGroup

/** How many files travel at once. */
export const MAX_SENDING = 2
/** Weight of the newest measurement of speed. */
const SMOOTHING = 0.3

function progress(upload: Upload, sentBytes: number, at: number): Upload {
  const seconds = (at - upload.measuredAt) / 1000
  const gained = sentBytes - upload.sentBytes
  if (seconds <= 0) return { ...upload, sentBytes }
  // A part that is sent again says nothing of speed.
  if (gained < 0) return { ...upload, sentBytes, measuredAt: at }
  const now = gained / seconds
  const bytesPerS =
    upload.bytesPerS === null ? now : upload.bytesPerS + SMOOTHING * (now - upload.bytesPerS)
  return { ...upload, sentBytes, bytesPerS, measuredAt: at }
}

const ENDED = new Set<UploadStatus>(['arrived', 'done', 'cancelled'])

function change(upload: Upload, action: OfOne): Upload {
  switch (action.type) {
    case 'started':
      return { ...upload, status: 'sending', bytesPerS: null, measuredAt: action.at }
    case 'placed':
      return upload.status === 'sending'
        ? { ...upload, sentBytes: action.sentBytes, measuredAt: action.at }
        : upload
    case 'progressed':
      // A late measurement must not bring a cancelled upload back.
      return upload.status === 'sending' ? progress(upload, action.sentBytes, action.at) : upload
    case 'paused':
      return ENDED.has(upload.status) ? upload : { ...upload, status: 'paused', bytesPerS: null }
    case 'arrived':
      return upload.status === 'cancelled'
        ? upload
        : { ...upload, status: 'arrived', sentBytes: upload.file.size, uploadId: action.uploadId }
    case 'failed':
      return upload.status === 'cancelled'
        ? upload
        : { ...upload, status: 'failed', error: action.error }
    case 'cancelled':
      return upload.status === 'done' ? upload : { ...upload, status: 'cancelled', sentBytes: 0 }
    case 'retried':
      // What has arrived stays there; the server says from where to go on.
      return {
        ...upload,
        status: upload.uploadId ? 'arrived' : 'waiting',
        bytesPerS: null,
        error: undefined,
      }
  }
}

function changeGroup(upload: Upload, action: OfGroup): Upload {
  if (upload.status === 'cancelled') return upload
  return action.type === 'stored'
    ? { ...upload, status: 'done', datasetId: action.datasetId, sameAs: action.sameAs }
    : { ...upload, status: 'failed', error: action.error }
}

export function reduceUploads(uploads: readonly Upload[], action: UploadAction): Upload[] {
  if (action.type === 'added') {
    const added = action.files.map((each) => ({
      ...each,
      status: 'waiting' as const,
      sentBytes: 0,
      bytesPerS: null,
      measuredAt: 0,
    }))
    return [...uploads, ...added]
  }
  if (action.type === 'dismissed') return uploads.filter(({ id }) => id !== action.id)
  if ('group' in action)
    return uploads.map((upload) =>
      upload.group === action.group ? changeGroup(upload, action) : upload,
    )
  return uploads.map((upload) => (upload.id === action.id ? change(upload, action) : upload))
}

/** The uploads that may start now. */
export function startable(uploads: readonly Upload[]): Upload[] {
  const sending = uploads.filter(({ status }) => status === 'sending').length
  return uploads
    .filter(({ status }) => status === 'waiting')
    .slice(0, Math.max(0, MAX_SENDING - sending))
}

/** Whether all files of a group that were not taken back are there. */
export function isComplete(uploads: readonly Upload[], group: string): boolean {
  const wanted = uploads.filter((each) => each.group === group && each.status !== 'cancelled')
  return wanted.length > 0 && wanted.every(({ status }) => status === 'arrived')
}

/** Seconds until everything is sent at the present speed; null when that is unknown. */
export function remainingSeconds({ file, sentBytes, bytesPerS }: Upload): number | null {
  if (!bytesPerS || bytesPerS <= 0) return null
  return (file.size - sentBytes) / bytesPerS
}

/** Whether leaving the page would interrupt something. */
export const isBusy = (uploads: readonly Upload[]) =>
  uploads.some(({ status }) => status === 'waiting' || status === 'sending' || status === 'arrived')
