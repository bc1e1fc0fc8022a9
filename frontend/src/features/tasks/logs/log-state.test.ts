import { describe, expect, it } from 'vitest'
import { hidingParams, isFiltering, readState, writeState } from './log-state'
import { queryText } from './log-api'

const FULL =
  'attempt=2&level=warning,error&stream=err&rank=0,3&since=2026-01-01T10:00:00.000Z&until=2026-01-01T11:00:00.000Z' +
  '&q=loss+%3D&regex=1&case=1&only=1&wrap=0&time=relative'

describe('the address', () => {
  it('says everything and is read back alike', () => {
    const state = readState(FULL)
    expect(state.filter.levels).toEqual(['warning', 'error'])
    expect(state.filter.ranks).toEqual([0, 3])
    expect(state.search).toEqual({ q: 'loss =', regex: true, matchCase: true, only: true })
    expect(readState(writeState('', state))).toEqual(state)
  })

  it('leaves out what is usual, and keeps what is not ours', () => {
    expect(writeState('tab=logs&level=error&wrap=0', readState(''))).toBe('tab=logs')
  })

  it('takes rubbish for nothing', () => {
    const state = readState('attempt=-3&level=loud,error&stream=x&rank=a,-1,2.5,7,7&since=never&until=&q=&wrap=maybe')
    expect(state.attempt).toBe(0)
    expect(state.filter).toEqual({ levels: ['error'], streams: [], ranks: [7], since: '', until: '' })
    expect(state.wrap).toBe(true)
  })

  it('cuts a search that no server takes', () => {
    expect(readState(`q=${'x'.repeat(900)}`).search.q).toHaveLength(500)
  })
})

describe('what hides lines', () => {
  it('is nothing by itself: a search only marks', () => {
    expect(hidingParams(readState('q=loss'))).toEqual({})
  })

  it('is a search too when only its matches are wanted', () => {
    expect(hidingParams(readState('q=loss&only=1&regex=1'))).toEqual({ q: 'loss', regex: true, case: false })
    expect(hidingParams(readState('only=1'))).toEqual({})
  })

  it('is every filter', () => {
    const state = readState(FULL)
    expect(isFiltering(state.filter)).toBe(true)
    expect(queryText(hidingParams(state))).toBe(
      'level=warning&level=error&stream=err&rank=0&rank=3&since=2026-01-01T10%3A00%3A00.000Z' +
        '&until=2026-01-01T11%3A00%3A00.000Z&q=loss+%3D&regex=true&case=true',
    )
  })
})
