/** The loss that tells runs apart: on held-out rows; where none are measured, the training loss, said so. */
import { useTranslation } from 'react-i18next'
import { useFormat } from '@/i18n/format'

export function LossValue({ metrics }: { metrics: Record<string, number | null | undefined> }) {
  const { t } = useTranslation()
  const format = useFormat()
  if (metrics.eval_loss == null && metrics.loss != null)
    return t('general.trainingLoss', { value: format.value(metrics.loss) })
  return format.value(metrics.eval_loss)
}
