/** Zooming a chart by a button, and its picture as a file. */
import type { ECharts } from 'echarts/core'

interface Window {
  start: number
  end: number
}

const LEAST_PERCENT = 1

/** The window about the same middle, `factor` times as wide, within 0 to 100 per cent. */
export function widened({ start, end }: Window, factor: number): Window {
  const width = Math.min(100, Math.max(LEAST_PERCENT, (end - start) * factor))
  const from = Math.min(100 - width, Math.max(0, (start + end) / 2 - width / 2))
  return { start: from, end: from + width }
}

export function zoomBy(chart: ECharts | null, factor: number): void {
  if (!chart) return
  const option = chart.getOption() as { dataZoom?: Partial<Window>[] }
  const { start = 0, end = 100 } = option.dataZoom?.[0] ?? {}
  chart.dispatchAction({ type: 'dataZoom', dataZoomIndex: 0, ...widened({ start, end }, factor) })
}

export function saveChart(chart: ECharts | null, filename: string, backgroundColor: string): void {
  if (!chart) return
  const link = document.createElement('a')
  link.href = chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor })
  link.download = filename
  link.click()
}
