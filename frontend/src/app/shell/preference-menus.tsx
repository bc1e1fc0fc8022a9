/** Language and theme: choices of this device. */
import { BulbOutlined, DesktopOutlined, MoonOutlined, SunOutlined } from '@ant-design/icons'
import { Button, Dropdown } from 'antd'
import { useTranslation } from 'react-i18next'
import { chooseTheme, themeChoices, useThemeChoice, type ThemeChoice } from '../theme-mode'
import { useShowError } from '@/components/use-show-error'
import { changeLanguage, useLanguage } from '@/i18n/language'
import { languageCodes, languages, type LanguageCode } from '@/i18n/languages'

export function LanguageMenu() {
  const { t } = useTranslation()
  const { code } = useLanguage()
  const { name, short } = languages[code]
  const showError = useShowError()
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectable: true,
        selectedKeys: [code],
        items: languageCodes.map((each) => ({
          key: each,
          label: <span lang={each}>{languages[each].name}</span>,
        })),
        onClick: ({ key }) => void changeLanguage(key as LanguageCode).catch(showError),
      }}
    >
      <Button type="text" aria-label={t('shell.languageNow', { name, short })}>
        {short}
      </Button>
    </Dropdown>
  )
}

const THEME_ICONS = {
  system: <DesktopOutlined />,
  light: <SunOutlined />,
  dark: <MoonOutlined />,
}

export function ThemeMenu() {
  const { t } = useTranslation()
  const choice = useThemeChoice()
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectable: true,
        selectedKeys: [choice],
        items: themeChoices.map((each) => ({
          key: each,
          icon: THEME_ICONS[each],
          label: t(`shell.theme.${each}`),
        })),
        onClick: ({ key }) => chooseTheme(key as ThemeChoice),
      }}
    >
      <Button
        type="text"
        icon={<BulbOutlined />}
        aria-label={t('shell.theme.now', { choice: t(`shell.theme.${choice}`) })}
      />
    </Dropdown>
  )
}
