/** Before every test file: English words, patience for a busy machine, an empty page after each. */
import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'
import { startLanguage } from '@/i18n/language'

configure({ asyncUtilTimeout: 10_000 })
await startLanguage()
afterEach(() => {
  cleanup()
  localStorage.clear()
})
