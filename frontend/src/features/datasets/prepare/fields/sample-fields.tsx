/** How many rows are kept by chance: a number, or a share. */
import { Flex, InputNumber, Segmented } from 'antd'
import { useTranslation } from 'react-i18next'
import { SeedField } from './seed-field'
import type { StepOf } from '../steps'

interface Props {
  step: StepOf<'sample'>
  onChange: (step: StepOf<'sample'>) => void
}

export function SampleFields({ step, onChange }: Props) {
  const { t } = useTranslation()
  const byRows = step.rows != null
  return (
    <>
      <Flex gap={8} wrap align="center">
        <Segmented
          value={byRows ? 'rows' : 'share'}
          onChange={(kind) =>
            onChange({ ...step, ...(kind === 'rows' ? { rows: 100, fraction: null } : { rows: null, fraction: 0.1 }) })
          }
          aria-label={t('datasets.prepare.howMany')}
          options={[
            { value: 'share', label: t('datasets.prepare.share') },
            { value: 'rows', label: t('datasets.prepare.rowsNumber') },
          ]}
        />
        {byRows ? (
          <InputNumber
            min={1}
            max={2 ** 40}
            precision={0}
            value={step.rows ?? null}
            onChange={(rows) => onChange({ ...step, rows: rows ?? 0, fraction: null })}
            aria-label={t('datasets.prepare.rowsNumber')}
          />
        ) : (
          <InputNumber
            min={0.01}
            max={100}
            value={Math.round((step.fraction ?? 0) * 1e6) / 1e4}
            onChange={(percent) => onChange({ ...step, rows: null, fraction: (percent ?? 0) / 100 })}
            aria-label={t('datasets.prepare.share')}
            suffix={'%'}
          />
        )}
      </Flex>
      <SeedField seed={step.seed} onChange={(seed) => onChange({ ...step, seed })} />
    </>
  )
}
