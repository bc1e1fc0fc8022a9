/** What the run is measured with, in place of the share that is held out where nothing else is there. */
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { knobField } from './check'
import { knobsOf, type Knob } from './knobs'
import { usePart, useRows } from './use-part'
import type { Wizard } from './use-wizard'
import { useFormat } from '@/i18n/format'

const FRACTION = 'evaluation_fraction'

/** The knobs that matter for what is chosen; a share that is wrong stays until it is put right. */
export function useKnobs(wizard: Wizard): Knob[] {
  const { values } = wizard.state
  const { validation } = usePart(wizard)
  const wrong = wizard.problems.some(({ field }) => field === knobField(FRACTION))
  return knobsOf({ ...values, validation_part: wrong ? null : validation })
}

/** In words: a part of the same data, or another data set; null where a share is held out. */
function useMeasuredWith(wizard: Wizard): string | null {
  const { t } = useTranslation()
  const format = useFormat()
  const { values } = wizard.state
  const { validation_dataset_id: other } = values
  const { version: chosen, part: name } = useRows(wizard).validation
  if (other === null && name === null) return null
  const rows = chosen && (name === null ? chosen.num_rows : chosen.splits[name])
  return [
    ...(other === null ? [] : [wizard.datasets?.find(({ id }) => id === other)?.name ?? other]),
    ...(other === null || !chosen ? [] : [t('datasets.versions.number', { version: chosen.version })]),
    ...(name === null ? [] : [t('wizard.sources.part', { name })]),
    ...(rows === undefined ? [] : [t('wizard.sources.rows', { count: rows, n: format.number(rows) })]),
  ].join(' · ')
}

export function MeasuredWith({ wizard, knobs }: { wizard: Wizard; knobs: readonly Knob[] }) {
  const { t } = useTranslation()
  const what = useMeasuredWith(wizard)
  if (what === null || knobs.some(({ name }) => name === FRACTION)) return null
  return (
    <div className="knob">
      <div>{t('wizard.method.measuredWith')}</div>
      <strong className="numeric">{what}</strong>
      <div className="secondary">
        {t('wizard.method.measuredWithHelp')}{' '}
        <Button type="link" size="small" onClick={() => wizard.goTo(1, 'dataset_id')}>
          {t('wizard.method.measuredChange')}
        </Button>
      </div>
    </div>
  )
}
