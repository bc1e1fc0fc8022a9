import { describe, expect, it } from 'vitest'
import { setTabTitle, tabTitle } from './tab-title'

describe('the title of the tab', () => {
  it.each([
    [{ page: 'Data · EasyTune', progress: '', marked: false }, 'Data · EasyTune'],
    [{ page: 'Data · EasyTune', progress: '42 % · bot', marked: false }, '42 % · bot – Data · EasyTune'],
    [{ page: 'Data · EasyTune', progress: '', marked: true }, '● Data · EasyTune'],
  ])('of %j', (parts, expected) => {
    expect(tabTitle(parts)).toBe(expected)
  })

  it('keeps what others have written', () => {
    setTabTitle({ page: 'Models · EasyTune', progress: '7 % · a', marked: true })
    setTabTitle({ page: 'System · EasyTune' })
    expect(document.title).toBe('● 7 % · a – System · EasyTune')
    setTabTitle({ progress: '', marked: false })
    expect(document.title).toBe('System · EasyTune')
  })
})
