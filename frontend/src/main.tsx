/** The beginning: language first, then the app, so that nothing is ever shown in the wrong words. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Providers } from './app/providers'
import { startLanguage } from './i18n/language'
import './app/base.css'

await startLanguage()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <Providers />
  </StrictMode>,
)
