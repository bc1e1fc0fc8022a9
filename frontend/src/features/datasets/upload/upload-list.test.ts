import { describe, expect, it } from 'vitest'
import {
  isBusy,
  reduceUploads,
  remainingSeconds,
  startable,
  type Upload,
  type UploadAction,
} from './upload-list'

const file = (name: string, size = 1000) => new File([new Uint8Array(size)], name)

function play(...actions: UploadAction[]): Upload[] {
  return actions.reduce<Upload[]>(reduceUploads, [])
}

const added = (...ids: string[]): UploadAction => ({
  type: 'added',
  files: ids.map((id) => ({ id, key: `key-${id}`, file: file(id) })),
})

describe('the list of uploads', () => {
  it('lets two travel at once, in order', () => {
    const waiting = play(added('a', 'b', 'c'))
    expect(startable(waiting).map(({ id }) => id)).toEqual(['a', 'b'])
    const one = play(added('a', 'b', 'c'), { type: 'started', id: 'a', at: 0 })
    expect(startable(one).map(({ id }) => id)).toEqual(['b'])
    const freed = reduceUploads(one, { type: 'failed', id: 'a', error: new Error('x') })
    expect(startable(freed).map(({ id }) => id)).toEqual(['b', 'c'])
  })

  it('measures speed and what is left', () => {
    const [upload] = play(
      added('a'),
      { type: 'started', id: 'a', at: 0 },
      { type: 'progressed', id: 'a', sentBytes: 100, at: 500 },
    ) as [Upload]
    expect(upload.bytesPerS).toBe(200)
    expect(remainingSeconds(upload)).toBe(4.5)
  })

  it('smooths the speed', () => {
    const [upload] = play(
      added('a'),
      { type: 'started', id: 'a', at: 0 },
      { type: 'progressed', id: 'a', sentBytes: 100, at: 1000 },
      { type: 'progressed', id: 'a', sentBytes: 300, at: 2000 },
    ) as [Upload]
    expect(upload.bytesPerS).toBeCloseTo(130)
  })

  it('does not know what is left before it has measured', () => {
    const [upload] = play(added('a')) as [Upload]
    expect(remainingSeconds(upload)).toBeNull()
  })

  it('does not bring a cancelled upload back', () => {
    const [upload] = play(
      added('a'),
      { type: 'started', id: 'a', at: 0 },
      { type: 'cancelled', id: 'a' },
      { type: 'progressed', id: 'a', sentBytes: 500, at: 10 },
    ) as [Upload]
    expect(upload).toMatchObject({ status: 'cancelled', sentBytes: 0 })
  })

  it('does not cancel what has arrived', () => {
    const [upload] = play(
      added('a'),
      { type: 'done', id: 'a', datasetId: 'd' },
      { type: 'cancelled', id: 'a' },
    ) as [Upload]
    expect(upload).toMatchObject({ status: 'done', datasetId: 'd', sentBytes: 1000 })
  })

  it('begins again from nothing on a retry', () => {
    const [upload] = play(
      added('a'),
      { type: 'started', id: 'a', at: 0 },
      { type: 'progressed', id: 'a', sentBytes: 500, at: 100 },
      { type: 'failed', id: 'a', error: new Error('x') },
      { type: 'retried', id: 'a' },
    ) as [Upload]
    expect(upload).toMatchObject({ status: 'waiting', sentBytes: 0, bytesPerS: null })
    expect(upload.error).toBeUndefined()
  })

  it('is busy while something waits or travels', () => {
    expect(isBusy(play(added('a')))).toBe(true)
    expect(isBusy(play(added('a'), { type: 'failed', id: 'a', error: 0 }))).toBe(false)
    expect(play(added('a', 'b'), { type: 'dismissed', id: 'a' }).map(({ id }) => id)).toEqual(['b'])
  })
})
