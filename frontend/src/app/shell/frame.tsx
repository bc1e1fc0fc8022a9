/** The frame of every page: navigation at the left (a drawer on small screens), bar, banners. */
import { MenuOutlined } from '@ant-design/icons'
import { Button, Drawer, Flex, Grid } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet, useLocation } from 'react-router'
import { AccountMenu } from './account-menu'
import { Banners } from './banners'
import { JumpSearch } from './jump-search'
import { Navigation } from './navigation'
import { LanguageMenu, ThemeMenu } from './preference-menus'
import { NoticeWatch } from './notice-watch'
import { RunningRing } from './running-ring'
import type { Schemas } from '@/api/client'
import { NoticeBell } from '@/features/notices/notice-bell'

const COLLAPSED_KEY = 'easytune.navigation'

export function Frame({ me }: { me: Schemas['Me'] }) {
  const { t } = useTranslation()
  const { pathname } = useLocation()
  const wide = Grid.useBreakpoint().md !== false
  const main = useRef<HTMLElement>(null)
  const [drawer, setDrawer] = useState(false)
  const [collapsed, setCollapsed] = useState(() => localStorage.getItem(COLLAPSED_KEY) === 'closed')

  const shown = useRef(pathname)
  useEffect(() => {
    // A new page begins at its top, for eyes and for screen readers.
    if (shown.current === pathname) return
    shown.current = pathname
    window.scrollTo(0, 0)
    main.current?.focus({ preventScroll: true })
  }, [pathname])

  const collapse = (next: boolean) => {
    setCollapsed(next)
    localStorage.setItem(COLLAPSED_KEY, next ? 'closed' : 'open')
  }

  return (
    <Flex style={{ minHeight: '100vh' }}>
      <a className="skip-link" href="#content">
        {t('shell.skip')}
      </a>
      {wide ? (
        <Navigation collapsed={collapsed} onCollapse={collapse} />
      ) : (
        <Drawer
          open={drawer}
          onClose={() => setDrawer(false)}
          placement="left"
          size={240}
          title={t('shell.navigation')}
          styles={{ body: { padding: 0 } }}
        >
          <Navigation collapsed={false} onNavigate={() => setDrawer(false)} />
        </Drawer>
      )}
      <Flex vertical style={{ flex: 1, minWidth: 0 }}>
        <header className="shell-bar">
          {!wide && (
            <Button
              type="text"
              icon={<MenuOutlined />}
              aria-label={t('shell.menu')}
              onClick={() => setDrawer(true)}
            />
          )}
          <JumpSearch compact={!wide} />
          <div style={{ flex: 1 }} />
          <RunningRing />
          <NoticeBell />
          <LanguageMenu />
          <ThemeMenu />
          <AccountMenu me={me} />
        </header>
        <Banners />
        <NoticeWatch />
        <main id="content" ref={main} tabIndex={-1} className="page">
          <Outlet />
        </main>
      </Flex>
    </Flex>
  )
}
