/** What the list of uploads knows, as a pure reducer: who waits, who sends, how fast, how it ended. */

export type UploadStatus = 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled'

export interface Upload {
  id: string
  file: File
  /** One for all tries of this file: what arrived after all is not stored twice. */
  key: string
  status: UploadStatus
  sentBytes: number
  /** Smoothed; null until two measurements are known. */
  bytesPerS: number | null
  /** Of the last measurement, in milliseconds. */
  measuredAt: number
  error?: unknown
  datasetId?: string
}

export type UploadAction =
  | { type: 'added'; files: { id: string; file: File; key: string }[] }
  | { type: 'started'; id: string; at: number }
  | { type: 'progressed'; id: string; sentBytes: number; at: number }
  | { type: 'done'; id: string; datasetId: string }
  | { type: 'failed'; id: string; error: unknown }
  | { type: 'cancelled'; id: string }
  | { type: 'retried'; id: string }
  | { type: 'dismissed'; id: string }

/** How many files travel at once. */
export const MAX_SENDING = 2
/** Weight of the newest measurement of speed. */
const SMOOTHING = 0.3

function progress(upload: Upload, sentBytes: number, at: number): Upload {
  const seconds = (at - upload.measuredAt) / 1000
  if (seconds <= 0) return { ...upload, sentBytes }
  const now = (sentBytes - upload.sentBytes) / seconds
  const bytesPerS =
    upload.bytesPerS === null ? now : upload.bytesPerS + SMOOTHING * (now - upload.bytesPerS)
  return { ...upload, sentBytes, bytesPerS, measuredAt: at }
}

function change(upload: Upload, action: Exclude<UploadAction, { type: 'added' }>): Upload {
  switch (action.type) {
    case 'started':
      return { ...upload, status: 'sending', measuredAt: action.at }
    case 'progressed':
      // A late measurement must not bring a cancelled upload back.
      return upload.status === 'sending' ? progress(upload, action.sentBytes, action.at) : upload
    case 'done':
      return {
        ...upload,
        status: 'done',
        sentBytes: upload.file.size,
        datasetId: action.datasetId,
      }
    case 'failed':
      return { ...upload, status: 'failed', error: action.error }
    case 'cancelled':
      return upload.status === 'done' ? upload : { ...upload, status: 'cancelled' }
    case 'retried':
      return {
        ...upload,
        status: 'waiting',
        sentBytes: 0,
        bytesPerS: null,
        error: undefined,
      }
    case 'dismissed':
      return upload
  }
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
  return uploads.map((upload) => (upload.id === action.id ? change(upload, action) : upload))
}

/** The uploads that may start now. */
export function startable(uploads: readonly Upload[]): Upload[] {
  const sending = uploads.filter(({ status }) => status === 'sending').length
  return uploads.filter(({ status }) => status === 'waiting').slice(0, MAX_SENDING - sending)
}

/** Seconds until everything is sent at the present speed; null when that is unknown. */
export function remainingSeconds({ file, sentBytes, bytesPerS }: Upload): number | null {
  if (!bytesPerS || bytesPerS <= 0) return null
  return (file.size - sentBytes) / bytesPerS
}

/** Whether leaving the page would lose something. */
export const isBusy = (uploads: readonly Upload[]) =>
  uploads.some(({ status }) => status === 'waiting' || status === 'sending')
