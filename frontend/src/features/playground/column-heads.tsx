/** Which model stands in which column. */
import { Select } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Target } from './api'
import { familyOf, keyOf } from './targets'

interface Props {
  targets: readonly Target[]
  columns: readonly (Target | undefined)[]
  onChoose: (column: number, key: string | null) => void
}

export function ColumnHeads({ targets, columns, onChoose }: Props) {
  const { t } = useTranslation()
  const group = (kind: Target['kind'], label: string, beside?: Target) => ({
    label,
    options: targets
      .filter((target) => target.kind === kind)
      // Beside a model stand those that can be asked the same.
      .filter((target) => !beside || familyOf(target) === familyOf(beside))
      .map((target) => ({ value: keyOf(target), label: target.name })),
  })
  const options = (beside?: Target) =>
    [
      group('tuned', t('playground.tuned'), beside),
      group('base', t('playground.base'), beside),
    ].filter((each) => each.options.length > 0)
  return (
    <div className="playground-columns playground-heads">
      {columns.map((target, column) => (
        <Select
          key={column}
          showSearch={{ optionFilterProp: 'label' }}
          allowClear={column > 0}
          value={target ? keyOf(target) : undefined}
          placeholder={t(column > 0 ? 'playground.chooseOther' : 'playground.choose')}
          aria-label={t('playground.column', { number: column + 1 })}
          onChange={(key: string | undefined) => onChoose(column, key ?? null)}
          options={options(column > 0 ? columns[0] : undefined)}
        />
      ))}
    </div>
  )
}
