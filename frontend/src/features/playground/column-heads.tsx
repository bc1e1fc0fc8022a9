/** Which model stands in which column. */
import { Select } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Target } from './api'
import { keyOf } from './targets'

interface Props {
  targets: readonly Target[]
  columns: readonly (Target | undefined)[]
  onChoose: (column: number, key: string | null) => void
}

export function ColumnHeads({ targets, columns, onChoose }: Props) {
  const { t } = useTranslation()
  const group = (kind: Target['kind'], label: string) => ({
    label,
    options: targets
      .filter((target) => target.kind === kind)
      .map((target) => ({ value: keyOf(target), label: target.name })),
  })
  const options = [
    group('tuned', t('playground.tuned')),
    group('base', t('playground.base')),
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
          options={options}
        />
      ))}
    </div>
  )
}
