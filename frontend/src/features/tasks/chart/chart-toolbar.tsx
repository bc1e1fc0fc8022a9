/** How a chart is looked at: smoothing, scale, axis, zoom, as a table, as a file. */
import { DownloadOutlined, ZoomInOutlined, ZoomOutOutlined } from '@ant-design/icons'
import { Button, Checkbox, Dropdown, Flex, Segmented, Slider } from 'antd'
import type { ECharts } from 'echarts/core'
import type { RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import type { Axis } from './axis'
import type { CurveSettings } from './chart-options'
import { MOST_SMOOTHING } from './use-curve-settings'
import { saveChart, zoomBy } from './zoom-and-save'

interface Props {
  settings: CurveSettings
  onChange: (next: Partial<CurveSettings>) => void
  axes: readonly Axis[]
  asTable: boolean
  onTable: (on: boolean) => void
  chart: RefObject<ECharts | null>
  background: string
  /** Without ending. */
  filename: string
  /** Where the numbers are as a file. */
  csv?: string
}

export function ChartToolbar(props: Props) {
  const { t } = useTranslation()
  const { settings, onChange, axes, asTable, onTable, chart, background, filename, csv } = props
  return (
    <Flex gap={12} align="center" justify="flex-end" wrap>
      <Flex gap={8} align="center">
        <span className="secondary">{t('tasks.chart.smoothing')}</span>
        <Slider
          ariaLabelForHandle={t('tasks.chart.smoothing')}
          min={0}
          max={MOST_SMOOTHING}
          step={0.02}
          value={settings.smoothing}
          onChange={(smoothing) => onChange({ smoothing })}
          style={{ width: 100, margin: '4px 8px' }}
        />
      </Flex>
      <Checkbox
        checked={settings.logarithmic}
        onChange={({ target }) => onChange({ logarithmic: target.checked })}
      >
        {t('tasks.chart.logarithmic')}
      </Checkbox>
      {axes.length > 1 && (
        <Segmented
          size="small"
          value={settings.axis}
          onChange={(axis) => onChange({ axis })}
          aria-label={t('tasks.chart.axis')}
          options={axes.map((value) => ({ value, label: t(`tasks.chart.axes.${value}`) }))}
        />
      )}
      <Flex>
        <Button
          size="small"
          type="text"
          disabled={asTable}
          icon={<ZoomInOutlined />}
          aria-label={t('tasks.chart.zoomIn')}
          title={t('tasks.chart.zoomHow')}
          onClick={() => zoomBy(chart.current, 0.5)}
        />
        <Button
          size="small"
          type="text"
          disabled={asTable}
          icon={<ZoomOutOutlined />}
          aria-label={t('tasks.chart.zoomOut')}
          onClick={() => zoomBy(chart.current, 2)}
        />
      </Flex>
      <Button size="small" type="text" onClick={() => onTable(!asTable)}>
        {t(asTable ? 'tasks.chart.asCurve' : 'tasks.chart.asTable')}
      </Button>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            ...(csv
              ? [{ key: 'csv', label: <a href={csv} download>{t('tasks.chart.saveCsv')}</a> }]
              : []),
            {
              key: 'png',
              disabled: asTable,
              label: t('tasks.chart.savePng'),
              onClick: () => saveChart(chart.current, `${filename}.png`, background),
            },
          ],
        }}
      >
        <Button size="small" type="text" icon={<DownloadOutlined />} aria-label={t('tasks.chart.save')} />
      </Dropdown>
    </Flex>
  )
}
