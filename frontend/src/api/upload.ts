/** Sending a file with progress: fetch can not report how much was sent, XMLHttpRequest can. */
import { OWN_HEADER } from './client'
import { reportReachable, reportUnreachable } from './connection'
import { errorOfText, isServerAway, NetworkError } from './errors'
import { markExpired } from './session'

export interface UploadOptions {
  onProgress: (sentBytes: number, totalBytes: number) => void
  signal: AbortSignal
  /** Sent again with a retry, so that nothing is created twice. */
  idempotencyKey: string
}

/** Posts a form; gives the JSON answer, or throws `ApiError`, `NetworkError` or an abort. */
export function upload<T>(url: string, form: FormData, options: UploadOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    request.open('POST', url)
    for (const [name, value] of Object.entries(OWN_HEADER)) request.setRequestHeader(name, value)
    request.setRequestHeader('Accept', 'application/json')
    request.setRequestHeader('Idempotency-Key', options.idempotencyKey)
    request.upload.onprogress = (event) => options.onProgress(event.loaded, event.total)
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        reportReachable()
        resolve(JSON.parse(request.responseText) as T)
        return
      }
      const error = errorOfText(request.status, request.responseText)
      if (isServerAway(error)) reportUnreachable()
      if (error.status === 401) markExpired()
      reject(error)
    }
    request.onerror = () => {
      reportUnreachable()
      reject(new NetworkError())
    }
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'))
    request.onloadend = () => options.signal.removeEventListener('abort', abort)
    options.signal.addEventListener('abort', abort)
    request.send(form)
  })
}
