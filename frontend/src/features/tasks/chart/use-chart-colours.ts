/** The theme's colours for a canvas. */
import { theme } from 'antd'
import { useMemo } from 'react'
import type { ChartColours } from './chart-options'

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
    }),
    [token],
  )
}
