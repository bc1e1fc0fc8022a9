import { describe, expect, it } from 'vitest'
import {
  isBusy,
  isComplete,
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
  files: ids.map((id) => ({ id, group: `group-${id}`, file: file(id) })),
})

const together = (...ids: string[]): UploadAction => ({
  type: 'added',
  files: ids.map((id) => ({ id, group: 'g', file: file(id) })),
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
      { type: 'arrived', id: 'a', uploadId: 'u' },
      { type: 'stored', group: 'group-a', datasetId: 'd', sameAs: null },
      { type: 'cancelled', id: 'a' },
    ) as [Upload]
    expect(upload).toMatchObject({ status: 'done', datasetId: 'd', sentBytes: 1000 })
  })

  it('goes on where it was on a retry', () => {
    const [upload] = play(
      added('a'),
      { type: 'started', id: 'a', at: 0 },
      { type: 'progressed', id: 'a', sentBytes: 500, at: 100 },
      { type: 'failed', id: 'a', error: new Error('x') },
      { type: 'retried', id: 'a' },
    ) as [Upload]
    expect(upload).toMatchObject({ status: 'waiting', sentBytes: 500, bytesPerS: null })
    expect(upload.error).toBeUndefined()
  })

  it('does not take what was there before for speed', () => {
    const [upload] = play(
      added('a'),
      { type: 'started', id: 'a', at: 0 },
      { type: 'placed', id: 'a', sentBytes: 800, at: 100 },
      { type: 'progressed', id: 'a', sentBytes: 900, at: 1100 },
    ) as [Upload]
    expect(upload.bytesPerS).toBe(100)
    const [again] = reduceUploads([upload], { type: 'progressed', id: 'a', sentBytes: 850, at: 1200 })
    expect(again).toMatchObject({ sentBytes: 850, bytesPerS: 100 })
  })

  it('pauses and lets the next one go', () => {
    const paused = play(
      added('a', 'b', 'c'),
      { type: 'started', id: 'a', at: 0 },
      { type: 'started', id: 'b', at: 0 },
      { type: 'paused', id: 'a' },
    )
    expect(startable(paused).map(({ id }) => id)).toEqual(['c'])
    const late = reduceUploads(paused, { type: 'progressed', id: 'a', sentBytes: 9, at: 9 })
    expect(late[0]).toMatchObject({ status: 'paused', sentBytes: 0 })
    const on = reduceUploads(late, { type: 'retried', id: 'a' })
    expect(on[0]?.status).toBe('waiting')
  })

  it('stores files that belong together when all are there', () => {
    const one = play(together('a', 'b'), { type: 'arrived', id: 'a', uploadId: 'u' })
    expect(isComplete(one, 'g')).toBe(false)
    expect(isBusy(one)).toBe(true)
    const both = reduceUploads(one, { type: 'arrived', id: 'b', uploadId: 'v' })
    expect(isComplete(both, 'g')).toBe(true)
    const without = reduceUploads(one, { type: 'cancelled', id: 'b' })
    expect(isComplete(without, 'g')).toBe(true)
    const none = reduceUploads(without, { type: 'cancelled', id: 'a' })
    expect(isComplete(none, 'g')).toBe(false)
  })

  it('sends nothing again when only storing failed', () => {
    const refused = play(
      together('a', 'b'),
      { type: 'arrived', id: 'a', uploadId: 'u' },
      { type: 'arrived', id: 'b', uploadId: 'v' },
      { type: 'refused', group: 'g', error: new Error('x') },
    )
    expect(refused.map(({ status }) => status)).toEqual(['failed', 'failed'])
    const again = reduceUploads(reduceUploads(refused, { type: 'retried', id: 'a' }), {
      type: 'retried',
      id: 'b',
    })
    expect(isComplete(again, 'g')).toBe(true)
  })

  it('says of which data set it has the bytes', () => {
    const sameAs = { id: '1', name: 'First' }
    const [upload] = play(
      added('a'),
      { type: 'arrived', id: 'a', uploadId: 'u' },
      { type: 'stored', group: 'group-a', datasetId: 'd', sameAs },
    ) as [Upload]
    expect(upload).toMatchObject({ status: 'done', datasetId: 'd', sameAs })
  })

  it('is busy while something waits or travels', () => {
    expect(isBusy(play(added('a')))).toBe(true)
    expect(isBusy(play(added('a'), { type: 'failed', id: 'a', error: 0 }))).toBe(false)
    expect(play(added('a', 'b'), { type: 'dismissed', id: 'a' }).map(({ id }) => id)).toEqual(['b'])
  })
})
