/**
 * Sending a file in parts that can be paused, cut and gone on with (tus 1.0.0). How far a file has
 * come is asked of the server, which outlives this tab; nothing is kept in the browser.
 *
 * Parts go without checksums, which the server would take: a part with one counts as a whole or not
 * at all, so that each cut and each pause would cost up to a whole part. Without, seconds are lost.
 */
import { DetailedError, Upload, type UploadOptions } from 'tus-js-client'
import { api, OWN_HEADER, take, type Schemas } from './client'
import { reportReachable, reportUnreachable } from './connection'
import { errorOfText, isServerAway, NetworkError } from './errors'
import { markExpired } from './session'

export const UPLOADS_URL = '/api/v1/uploads'
const PART_BYTES = 16 * 1024 * 1024
const MINUTE_MS = 60_000
/** A cut is bridged by itself for half an hour; each part that arrives begins the count anew. */
const RETRY_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, ...Array<number>(30).fill(MINUTE_MS)]
const DISK_FULL = 507
/** Another part is being written, or was; the server is asked where it stands. */
const PASSING = new Set([408, 409, 423, 429])
const GONE = new Set([404, 410])
const MAX_RESTARTS = 3
const TUS = { 'Tus-Resumable': '1.0.0' }

export interface Listener {
  /** The server knows it, under this id. */
  onBegun: (uploadId: string) => void
  /** Where it begins, after nothing or after what was there already. */
  onPlaced: (sentBytes: number) => void
  onProgress: (sentBytes: number) => void
  /** All of it is there, under this id. */
  onArrived: (uploadId: string) => void
  onError: (error: unknown) => void
}

export interface Transfer {
  pause: () => void
  resume: () => void
  /** Stop, and remove on the server what came. */
  cancel: () => Promise<void>
}

/** The same file chosen again, as far as a browser can tell without reading it. */
export const fingerprintOf = ({ name, size, lastModified }: File) => `${name}|${size}|${lastModified}`

const uploadIdOf = (url: string | null) => url?.split('/').pop() ?? ''

/** The user's uploads that are not a data set yet, from this visit or an earlier one. */
export async function listUploads(signal?: AbortSignal): Promise<Schemas['Upload'][]> {
  const page = await take(
    api.GET('/api/v1/uploads', { params: { query: { limit: 200 } }, signal }),
  )
  return page.items
}

export const removeUpload = (id: string) =>
  take(
    api.DELETE('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } }, headers: TUS }),
  )

/** What went wrong, in the words of every other call. */
function explained(error: unknown): unknown {
  if (!(error instanceof DetailedError)) return error
  const response = error.originalResponse
  if (!response || response.getStatus() === 0) {
    reportUnreachable()
    return new NetworkError(error)
  }
  const known = errorOfText(response.getStatus(), response.getBody())
  if (isServerAway(known)) reportUnreachable()
  if (known.status === 401) markExpired()
  return known
}

const statusOf = (error: unknown) =>
  error instanceof DetailedError ? (error.originalResponse?.getStatus() ?? 0) : null

function passes(error: unknown): boolean {
  const status = statusOf(error)
  explained(error)
  if (status === null) return false
  return status === 0 || PASSING.has(status) || (status >= 500 && status !== DISK_FULL)
}

/** Send `file`; with the `url` of an earlier upload of it, go on there. */
export function transfer(file: File, url: string | null, listener: Listener): Transfer {
  let placed = false
  let restarts = 0
  const options: UploadOptions = {
    endpoint: UPLOADS_URL,
    chunkSize: PART_BYTES,
    retryDelays: RETRY_MS,
    storeFingerprintForResuming: false,
    headers: { ...OWN_HEADER },
    metadata: { filename: file.name, fingerprint: fingerprintOf(file) },
    onShouldRetry: passes,
    onProgress: (sentBytes) => {
      if (placed) listener.onProgress(sentBytes)
      else listener.onPlaced(sentBytes)
      placed = true
    },
    onChunkComplete: reportReachable,
    // With an endpoint in hand, the client would begin anew when the server is away for a moment.
    onUploadUrlAvailable: () => {
      upload.options.endpoint = null
      listener.onBegun(uploadIdOf(upload.url))
    },
    onSuccess: () => listener.onArrived(uploadIdOf(upload.url)),
    onError: (error) => {
      // It was removed meanwhile: once more from the start, but not for ever.
      if (upload.url && GONE.has(statusOf(error) ?? 0) && restarts++ < MAX_RESTARTS) begin(null)
      else listener.onError(explained(error))
    },
  }
  const upload = new Upload(file, options)
  function begin(from: string | null): void {
    placed = false
    upload.url = from
    upload.options.endpoint = from ? null : UPLOADS_URL
    upload.start()
  }
  begin(url)
  return {
    pause: () => void upload.abort(),
    resume: () => begin(upload.url),
    cancel: () => upload.abort(true),
  }
}
