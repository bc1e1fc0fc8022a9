/**
 * The look, through Ant Design's tokens only: neutral surfaces, one accent for what can be pressed
 * or is live, semantic colours for states. Text reaches 4.5:1 on every surface of its theme.
 */
import { theme as antd, type ThemeConfig } from 'antd'
import type { ThemeMode } from './theme-mode'

const FONT =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans', sans-serif"
const MONO =
  "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'Noto Sans Mono CJK SC', monospace"

const shared: ThemeConfig['token'] = {
  fontFamily: FONT,
  fontFamilyCode: MONO,
  fontSize: 14,
  fontSizeSM: 12,
  fontSizeLG: 16,
  fontSizeXL: 20,
  fontSizeHeading1: 20,
  fontSizeHeading2: 16,
  fontSizeHeading3: 16,
  fontSizeHeading4: 14,
  fontSizeHeading5: 14,
  borderRadius: 6,
  motionDurationFast: '0.1s',
  motionDurationMid: '0.15s',
  motionDurationSlow: '0.15s',
  wireframe: false,
}

const light: ThemeConfig['token'] = {
  colorPrimary: '#4f46e5',
  colorInfo: '#4f46e5',
  colorLink: '#4f46e5',
  colorSuccess: '#15803d',
  colorWarning: '#b45309',
  colorError: '#c81e1e',
  colorTextBase: '#18181b',
  colorText: '#18181b',
  colorTextSecondary: '#52525b',
  colorTextTertiary: '#66666f',
  colorTextDescription: '#66666f',
  colorTextPlaceholder: '#71717a',
  colorBgBase: '#ffffff',
  colorBgLayout: '#fafafa',
  colorBorder: '#d4d4d8',
  colorBorderSecondary: '#e7e7ea',
  colorPrimaryBg: '#eef2ff',
  colorInfoBg: '#eef2ff',
  colorInfoBorder: '#c7d2fe',
  colorSuccessBg: '#f0fdf4',
  colorSuccessBorder: '#bbf7d0',
  colorWarningBg: '#fffbeb',
  colorWarningBorder: '#fde68a',
  colorErrorBg: '#fef2f2',
  colorErrorBorder: '#fecaca',
  boxShadow: '0 1px 2px rgba(0,0,0,.06)',
  boxShadowTertiary: 'none',
}

const dark: ThemeConfig['token'] = {
  colorPrimary: '#818cf8',
  colorInfo: '#818cf8',
  colorLink: '#a5b0fb',
  colorSuccess: '#4ade80',
  colorWarning: '#fbbf24',
  colorError: '#f87171',
  colorTextBase: '#e7e8ec',
  colorText: '#e7e8ec',
  colorTextSecondary: '#b1b5bf',
  colorTextTertiary: '#9499a5',
  colorTextDescription: '#9499a5',
  colorTextPlaceholder: '#8b909c',
  colorBgBase: '#0f1115',
  colorBgLayout: '#0f1115',
  colorBgContainer: '#15181e',
  colorBgElevated: '#1c2027',
  colorBorder: '#3a3f4a',
  colorBorderSecondary: '#272b34',
  colorPrimaryBg: '#1e2036',
  colorInfoBg: '#181c30',
  colorInfoBorder: '#2f355e',
  colorSuccessBg: '#12211a',
  colorSuccessBorder: '#1f4630',
  colorWarningBg: '#251e10',
  colorWarningBorder: '#4d3d16',
  colorErrorBg: '#2a1618',
  colorErrorBorder: '#5c2a2d',
  boxShadowTertiary: 'none',
}

/** Ant Design's dark palette dims the base colours below 4.5:1; these stay as they were chosen. */
const darkAlgorithm: typeof antd.darkAlgorithm = (seed, map) => ({
  ...antd.darkAlgorithm(seed, map),
  colorPrimary: '#818cf8',
  colorPrimaryHover: '#9aa3fb',
  colorPrimaryActive: '#6f7bf0',
  colorPrimaryText: '#a5b0fb',
  colorInfo: '#818cf8',
  colorLink: '#a5b0fb',
  colorLinkHover: '#c3caff',
  colorSuccess: '#4ade80',
  colorWarning: '#fbbf24',
  colorError: '#f87171',
})

/** Ant Design's configuration for a mode; `reducedMotion` switches its animations off. */
export function themeConfig(mode: ThemeMode, reducedMotion: boolean): ThemeConfig {
  const isDark = mode === 'dark'
  // The accent of the dark theme is bright: what stands on it is dark (contrast 6.6:1).
  const onAccent = isDark ? '#0f1115' : '#ffffff'
  return {
    cssVar: { key: themeClass(mode) },
    algorithm: isDark ? darkAlgorithm : antd.defaultAlgorithm,
    token: {
      ...shared,
      ...(isDark ? dark : light),
      colorTextLightSolid: onAccent,
      motion: !reducedMotion,
    },
    components: {
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none' },
      Tooltip: { colorTextLightSolid: isDark ? '#e7e8ec' : '#ffffff' },
      Layout: {
        headerBg: isDark ? '#15181e' : '#ffffff',
        siderBg: isDark ? '#15181e' : '#ffffff',
        headerHeight: 48,
        headerPadding: '0 16px',
      },
      Menu: { itemHeight: 36, activeBarBorderWidth: 0, itemBorderRadius: 6 },
      Table: { headerBorderRadius: 0, headerSplitColor: 'transparent' },
      Card: { headerFontSize: 14, headerHeight: 40, bodyPadding: 16 },
    },
  }
}

/** The class that carries the theme's CSS variables (`--ant-…`), for the app's own styles. */
export const themeClass = (mode: ThemeMode) => `easytune-${mode}`
