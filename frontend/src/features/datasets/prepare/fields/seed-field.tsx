/** The seed of what is done by chance: the same seed gives the same rows again. */
import { InputNumber } from 'antd'
import { useTranslation } from 'react-i18next'
import { FieldRow } from './field-row'

export function SeedField({ seed, onChange }: { seed: number | undefined; onChange: (seed: number) => void }) {
  const { t } = useTranslation()
  return (
    <FieldRow label={t('datasets.prepare.seed')} help={t('datasets.prepare.seedHelp')}>
      {(id) => (
        <InputNumber
          id={id}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          precision={0}
          value={seed ?? 0}
          onChange={(next) => onChange(next ?? 0)}
          style={{ width: 120 }}
        />
      )}
    </FieldRow>
  )
}
