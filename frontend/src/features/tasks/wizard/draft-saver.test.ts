/** Drafts are saved within two seconds, in order, once at a time, and in the end always. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DraftSaver, type DraftBody, type DraftCalls, type SaveState } from './draft-saver'
import { ApiError } from '@/api/errors'

const body = (n: number): DraftBody => ({ values: { n }, step: 0 })

function setUp(id: string | null = null) {
  const create = vi.fn<DraftCalls['create']>(async () => ({ id: 'new' }))
  const save = vi.fn<DraftCalls['save']>(async () => undefined)
  const states: SaveState[] = []
  const saver = new DraftSaver({ create, save }, id)
  saver.listen((state) => states.push(state))
  return { create, save, states, saver }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('creates one draft for a burst of changes, within two seconds', async () => {
  const { create, save, saver, states } = setUp()
  saver.change(body(1))
  await vi.advanceTimersByTimeAsync(300)
  saver.change(body(2))
  await vi.advanceTimersByTimeAsync(1000)
  expect(create.mock.calls).toEqual([[body(2)]])
  expect(save).not.toHaveBeenCalled()
  expect(saver.id).toBe('new')
  expect(states).toEqual(['saving', 'saved'])
})

it('saves into the draft that exists', async () => {
  const { create, save, saver } = setUp('old')
  saver.change(body(1))
  await vi.advanceTimersByTimeAsync(2000)
  expect(save.mock.calls).toEqual([['old', body(1)]])
  expect(create).not.toHaveBeenCalled()
})

it('never has two requests under way, and ends with the newest state', async () => {
  const { create, save, saver } = setUp()
  let answer: (value: { id: string }) => void = () => undefined
  create.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)))
  saver.change(body(1))
  await vi.advanceTimersByTimeAsync(1000)
  saver.change(body(2))
  await vi.advanceTimersByTimeAsync(5000)
  expect(create).toHaveBeenCalledTimes(1)
  expect(save).not.toHaveBeenCalled()
  answer({ id: 'slow' })
  await vi.advanceTimersByTimeAsync(2000)
  expect(create).toHaveBeenCalledTimes(1)
  expect(save.mock.calls).toEqual([['slow', body(2)]])
})

it('tries again when the server did not answer', async () => {
  const { create, saver, states } = setUp()
  create.mockRejectedValueOnce(new Error('away'))
  saver.change(body(1))
  await vi.advanceTimersByTimeAsync(1000)
  expect(states.at(-1)).toBe('failed')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(create).toHaveBeenCalledTimes(2)
  expect(states.at(-1)).toBe('saved')
})

it.each([400, 413, 429])('does not send again what is refused (%d) until it changes', async (status) => {
  const { save, saver, states } = setUp('old')
  save.mockRejectedValueOnce(new ApiError({ status }))
  saver.change(body(1))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(save).toHaveBeenCalledTimes(1)
  expect(states.at(-1)).toBe('refused')
  saver.change(body(2))
  await vi.advanceTimersByTimeAsync(1000)
  expect(states.at(-1)).toBe('saved')
})

it('begins a new draft when its own is gone', async () => {
  const { create, save, saver } = setUp('gone')
  save.mockRejectedValueOnce(new ApiError({ status: 404 }))
  saver.change(body(1))
  await vi.advanceTimersByTimeAsync(1000)
  expect(create.mock.calls).toEqual([[body(1)]])
  expect(saver.id).toBe('new')
})

it('flushes at once and is silent after stop', async () => {
  const { create, save, saver } = setUp()
  saver.change(body(1))
  await saver.flush()
  expect(create).toHaveBeenCalledTimes(1)
  saver.change(body(2))
  await saver.stop()
  saver.change(body(3))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(save).not.toHaveBeenCalled()
})

it('does not try again while nobody is signed in, and saves at once afterwards', async () => {
  const { save, saver, states } = setUp('old')
  save.mockRejectedValueOnce(new ApiError({ status: 401 }))
  saver.change(body(1))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(save).toHaveBeenCalledTimes(1)
  await saver.flush()
  expect(save.mock.calls.at(-1)).toEqual(['old', body(1)])
  expect(states.at(-1)).toBe('saved')
})
