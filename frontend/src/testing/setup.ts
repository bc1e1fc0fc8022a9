/** Before every test file: English words, patience for a busy machine, an empty page after each. */
import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'
import { startLanguage } from '@/i18n/language'

configure({ asyncUtilTimeout: 10_000 })
// Asking for a role asks for the style of every element around it. There is no layout here and only
// what stands on the element itself hides it, so the rules of all components need not be matched.
window.getComputedStyle = (element) => (element as HTMLElement).style
await startLanguage()
afterEach(() => {
  cleanup()
  localStorage.clear()
})
