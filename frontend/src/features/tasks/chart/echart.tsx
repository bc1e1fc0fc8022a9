/** ECharts, only what curves need; loaded when the first chart is shown. */
import { LineChart } from 'echarts/charts'
import {
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
} from 'echarts/components'
import { connect, init, use as register, type ECharts } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef, type RefObject } from 'react'
import type { ChartOption } from './chart-options'

register([
  LineChart,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  CanvasRenderer,
])

interface Props {
  option: ChartOption
  height: number
  label: string
  /** Charts of one group share cross-hair and zoom. */
  group?: string
  /** Where the chart is put for whoever zooms or exports it. */
  handleRef?: RefObject<ECharts | null>
}

export default function EChart({ option, height, label, group, handleRef }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<ECharts | null>(null)

  useEffect(() => {
    if (!box.current) return
    const made = init(box.current)
    chart.current = made
    if (handleRef) handleRef.current = made
    if (group) {
      made.group = group
      connect(group)
    }
    const observer = new ResizeObserver(() => made.resize())
    observer.observe(box.current)
    return () => {
      observer.disconnect()
      made.dispose()
      chart.current = null
      if (handleRef) handleRef.current = null
    }
  }, [group, handleRef])

  useEffect(() => {
    // What was zoomed stays zoomed when points come in; curves that are gone go.
    chart.current?.setOption(option, { replaceMerge: ['series'], lazyUpdate: true })
  }, [option])

  return <div ref={box} role="img" aria-label={label} style={{ width: '100%', height }} />
}
