/** The frame before anybody is signed in: the name, language and theme, one narrow column. */
import { Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { Banners } from './banners'
import { LanguageMenu, ThemeMenu } from './preference-menus'

export function PublicFrame() {
  const { t } = useTranslation()
  return (
    <>
      <header className="shell-bar">
        <Flex align="center" gap={10} style={{ flex: 1, fontSize: 16, fontWeight: 600 }}>
          <img src="/favicon.svg" alt="" width={24} height={24} />
          {t('shell.name')}
        </Flex>
        <LanguageMenu />
        <ThemeMenu />
      </header>
      <Banners />
      <main
        className="page"
        style={{ maxWidth: 448, paddingTop: 'min(12vh, 96px)', color: 'var(--ant-color-text)' }}
      >
        <Outlet />
      </main>
    </>
  )
}
