/** What every page stands in: queries, Ant Design with theme and language, the router. */
import { QueryClientProvider } from '@tanstack/react-query'
import { App, ConfigProvider } from 'antd'
import { useEffect, useSyncExternalStore } from 'react'
import { I18nextProvider } from 'react-i18next'
import { RouterProvider } from 'react-router'
import { preloadPages, router } from './router'
import { themeClass, themeConfig } from './theme'
import { useThemeMode } from './theme-mode'
import { createQueryClient } from '@/api/query-client'
import { texts, useLanguage } from '@/i18n/language'

const queryClient = createQueryClient()
const PRELOAD_AFTER_MS = 2_000
const reducedMotion = window.matchMedia('(prefers-reduced-motion: reduce)')

function onMotionChange(listener: () => void): () => void {
  reducedMotion.addEventListener('change', listener)
  return () => reducedMotion.removeEventListener('change', listener)
}

export function Providers() {
  const mode = useThemeMode()
  const language = useLanguage()
  const still = useSyncExternalStore(onMotionChange, () => reducedMotion.matches)
  useEffect(() => {
    const timer = setTimeout(preloadPages, PRELOAD_AFTER_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <QueryClientProvider client={queryClient}>
      <I18nextProvider i18n={texts}>
        <ConfigProvider theme={themeConfig(mode, still)} locale={language.antd} button={{ autoInsertSpace: false }}>
          <App className={themeClass(mode)} message={{ maxCount: 3 }}>
            <RouterProvider router={router} />
          </App>
        </ConfigProvider>
      </I18nextProvider>
    </QueryClientProvider>
  )
}
