/** The words on a chart, in the user's language. */
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { CurveWords } from './chart-options'
import { useFormat } from '@/i18n/format'

export function useCurveWords(): CurveWords {
  const { t } = useTranslation()
  const format = useFormat()
  return useMemo(
    () => ({
      train: t('tasks.chart.train'),
      evaluation: t('tasks.chart.evaluation'),
      whileTraining: t('tasks.chart.whileTraining'),
      heldOut: t('tasks.chart.heldOut'),
      step: t('tasks.chart.step'),
      checkpoint: t('tasks.chart.checkpoint'),
      resumed: t('tasks.chart.resumed'),
      notFinite: t('tasks.chart.notFinite'),
      axes: {
        step: t('tasks.chart.step'),
        epoch: t('tasks.strip.epoch'),
        time: t('tasks.chart.time'),
      },
      place: (axis, value) => {
        if (axis === 'time') return format.duration(value)
        return format.number(value, axis === 'step' ? 0 : 3)
      },
    }),
    [t, format],
  )
}
