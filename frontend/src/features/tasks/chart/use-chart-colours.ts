/** The theme's colours for a canvas. */
import { theme } from 'antd'
import { useMemo } from 'react'
import type { ChartColours } from './chart-options'

// Ten that are told apart beside each other, each with 3:1 on its ground.
const ON_LIGHT = [
  '#4f46e5', '#c2410c', '#047857', '#be185d', '#0369a1',
  '#a16207', '#7e22ce', '#b91c1c', '#0f766e', '#525252',
] // prettier-ignore
const ON_DARK = [
  '#818cf8', '#fb923c', '#34d399', '#f472b6', '#38bdf8',
  '#facc15', '#c084fc', '#f87171', '#2dd4bf', '#d4d4d4',
] // prettier-ignore

/** Whether a ground like `#141414` is a dark one. */
const isDark = (hex: string) => parseInt(hex.slice(1, 3), 16) < 128

export function useChartColours(): ChartColours {
  const { token } = theme.useToken()
  return useMemo(
    () => ({
      text: token.colorTextSecondary,
      line: token.colorBorder,
      grid: token.colorBorderSecondary,
      train: token.colorPrimary,
      evaluation: token.colorWarning,
      bad: token.colorError,
      surface: token.colorBgElevated,
      background: token.colorBgContainer,
      runs: isDark(token.colorBgContainer) ? ON_DARK : ON_LIGHT,
    }),
    [token],
  )
}
