/** Whether the theme in force is light or dark, by its paper: an app may be themed in part. */
import { theme } from 'antd'
import type { Mode } from './colours'

export function useMode(): Mode {
  const { token } = theme.useToken()
  const [r = 255, g = 255, b = 255] = (token.colorBgContainer.match(/[\da-f]{2}/gi) ?? []).map((part) => parseInt(part, 16))
  return r + g + b < 384 ? 'dark' : 'light'
}
