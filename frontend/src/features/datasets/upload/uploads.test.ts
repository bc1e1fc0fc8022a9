/** The uploads of a tab against a small server that speaks tus over the browser's own requests. */
import { act, renderHook, waitFor } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Upload } from './upload-list'
import { addFiles, cancelUpload, pauseUpload, retryUpload, useUploads } from './uploads'

interface Stored {
  length: number
  body: Blob[]
  fingerprint: string
}

/** What the server has, and what it was asked. */
let stored: Map<string, Stored>
let asked: string[]
let hold: boolean
let datasets: string[][]

const sizeOf = ({ body }: Stored) => body.reduce((sum, part) => sum + part.size, 0)

class FakeRequest {
  status = 0
  responseText = ''
  upload: { onprogress?: (event: { lengthComputable: boolean; loaded: number }) => void } = {}
  onload: () => void = () => undefined
  onerror: (error: unknown) => void = () => undefined
  private method = ''
  private url = ''
  private sent: Record<string, string> = {}
  private headers: Record<string, string> = {}
  private aborted = false

  open(method: string, url: string) {
    this.method = method
    this.url = new URL(url, window.location.origin).pathname
  }
  setRequestHeader(name: string, value: string) {
    this.sent[name] = value
  }
  getResponseHeader(name: string) {
    return this.headers[name] ?? null
  }
  abort() {
    this.aborted = true
  }
  send(body: Blob | null) {
    asked.push(`${this.method} ${this.url}`)
    setTimeout(() => {
      if (this.aborted || (hold && this.method === 'PATCH')) return
      this.answer(body)
      this.onload()
    })
  }
  private answer(body: Blob | null) {
    const id = this.url.split('/').pop() ?? ''
    if (this.method === 'POST') {
      const name = `u${stored.size + 1}`
      const said = /fingerprint (\S+)/.exec(this.sent['Upload-Metadata'] ?? '')?.[1] ?? ''
      stored.set(name, { length: Number(this.sent['Upload-Length']), body: [], fingerprint: said })
      this.status = 201
      this.headers = { Location: `/api/v1/uploads/${name}` }
      return
    }
    const upload = stored.get(id)
    if (!upload || this.sent['X-EasyTune'] !== '1') {
      this.status = upload ? 403 : 404
      return
    }
    this.status = 204
    if (this.method === 'PATCH' && body) upload.body.push(body)
    if (this.method === 'DELETE') stored.delete(id)
    this.headers = {
      'Upload-Offset': String(sizeOf(upload)),
      'Upload-Length': String(upload.length),
    }
  }
}

beforeEach(() => {
  stored = new Map()
  asked = []
  datasets = []
  hold = false
  list = renderHook(() => useUploads()).result
  vi.stubGlobal('XMLHttpRequest', FakeRequest)
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.method === 'POST') {
      datasets.push(((await request.json()) as { uploads: string[] }).uploads)
      return Response.json({ id: `d${datasets.length}`, same_as: null }, { status: 202 })
    }
    const items = [...stored].map(([id, upload]) => ({
      id,
      size_bytes: upload.length,
      metadata: { fingerprint: atob(upload.fingerprint) },
    }))
    return Response.json({ items, next_cursor: null })
  })
})

afterEach(() => {
  vi.unstubAllGlobals()
})

let list: { current: Upload[] }
const last = () => list.current.at(-1)

describe('uploads of this tab', () => {
  it('send a file and make a data set of it', async () => {
    act(() => addFiles([new File(['hello'], 'a.txt', { lastModified: 1 })]))
    await waitFor(() => expect(last()).toMatchObject({ status: 'done', datasetId: 'd1' }))
    expect(datasets).toEqual([['u1']])
    expect(await stored.get('u1')?.body[0]?.text()).toBe('hello')
  })

  it('make one data set of files that belong together', async () => {
    act(() => addFiles([new File(['x'], 'b.json'), new File(['{}'], 'dataset_info.json')]))
    await waitFor(() => expect(last()?.status).toBe('done'))
    expect(datasets).toEqual([['u1', 'u2']])
  })

  it('go on with what an earlier visit sent', async () => {
    const file = new File(['hello'], 'c.txt', { lastModified: 3 })
    const body = [new Blob(['hel'])]
    stored.set('u9', { length: 5, body, fingerprint: btoa(`c.txt|5|3`) })
    act(() => addFiles([file]))
    await waitFor(() => expect(last()?.status).toBe('done'))
    expect(asked).toEqual(['HEAD /api/v1/uploads/u9', 'PATCH /api/v1/uploads/u9'])
    expect(await new Blob(stored.get('u9')?.body).text()).toBe('hello')
  })

  it('pause, go on, and are taken back', async () => {
    hold = true
    act(() => addFiles([new File(['hello'], 'd.txt', { lastModified: 4 })]))
    await waitFor(() => expect(asked).toContain('PATCH /api/v1/uploads/u1'))
    const id = last()?.id ?? ''
    act(() => pauseUpload(id))
    expect(last()?.status).toBe('paused')
    act(() => retryUpload(id))
    await waitFor(() => expect(asked.filter((each) => each.startsWith('PATCH'))).toHaveLength(2))
    expect(asked.filter((each) => each.startsWith('POST'))).toHaveLength(1)
    act(() => cancelUpload(id))
    await waitFor(() => expect(stored.size).toBe(0))
    expect(last()?.status).toBe('cancelled')
    expect(datasets).toEqual([])
  })
})
