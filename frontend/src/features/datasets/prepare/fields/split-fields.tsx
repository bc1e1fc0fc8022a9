/** Parts of the rows with their shares; what is left belongs to the first. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Checkbox, Flex, Input, InputNumber, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { FieldRow } from './field-row'
import { ShareBar } from './mix-fields'
import { SeedField } from './seed-field'
import { divided, splitShares } from '../shares'
import { fieldName } from '../step-text'
import type { StepOf } from '../steps'
import { useFormat } from '@/i18n/format'

type Split = StepOf<'split'>

interface Props {
  step: Split
  columns: readonly string[]
  rowsIn: number | null
  onChange: (step: Split) => void
}

const BY = ['random', 'stratified', 'group', 'time'] as const

export function SplitFields({ step, columns, rowsIn, onChange }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const by = step.by ?? 'random'
  const rest = step.rest ?? 'train'
  const parts = Object.entries(step.fractions)
  const shares = splitShares(step.fractions, rest)
  const rows = rowsIn === null ? [] : divided(rowsIn, shares.map(({ share }) => share))
  const rowsOf = (name: string) => {
    const found = rows[shares.findIndex((each) => each.name === name)]
    return found === undefined ? null : t('datasets.prepare.about', { n: format.number(found) })
  }
  const put = (next: [string, number][]) =>
    onChange({ ...step, fractions: Object.fromEntries(next), order: null })
  const restShare = shares.find(({ name }) => name === rest)?.share ?? 0
  const fields = [...(by === 'stratified' ? ['label'] : []), ...columns.map((each) => `extra.${each}`)]
  return (
    <>
      <Flex gap={16} wrap>
        <FieldRow label={t('datasets.prepare.splitBy')} help={t(`datasets.prepare.byHelp.${by}`)}>
          {(id) => (
            <Select
              id={id}
              value={by}
              onChange={(next) => onChange({ ...step, by: next, field: next === 'stratified' ? 'label' : null })}
              options={BY.map((value) => ({ value, label: t(`datasets.prepare.by.${value}`) }))}
              style={{ width: 220 }}
            />
          )}
        </FieldRow>
        {by !== 'random' && (
          <FieldRow label={t('datasets.prepare.field')}>
            {(id) => (
              <Select
                id={id}
                value={step.field ?? undefined}
                onChange={(field) => onChange({ ...step, field })}
                placeholder={t('datasets.prepare.chooseColumn')}
                notFoundContent={t('datasets.prepare.noColumns')}
                options={fields.map((value) => ({ value, label: fieldName(t, value) }))}
                style={{ width: 220 }}
              />
            )}
          </FieldRow>
        )}
      </Flex>
      <div className="split-parts">
        <Input
          value={rest}
          onChange={({ target }) => onChange({ ...step, rest: target.value, order: null })}
          aria-label={t('datasets.prepare.partName')}
        />
        <span className="numeric">
          <strong>{format.percent(restShare, 1)}</strong>{' '}
          <span className="secondary">
            {t('datasets.prepare.restShare')} {rowsOf(rest)}
          </span>
        </span>
        <span />
        {parts.map(([name, share], at) => (
          <Part
            key={at}
            name={name}
            share={share}
            rows={rowsOf(name)}
            // Two parts of one name would become one while the name is still being typed.
            onName={(next) => {
              if (!parts.some(([other], n) => n !== at && other === next)) {
                put(parts.map((each, n) => (n === at ? [next, share] : each)))
              }
            }}
            onShare={(next) => put(parts.map((each, n) => (n === at ? [name, next] : each)))}
            onRemove={parts.length > 1 ? () => put(parts.filter((_, n) => n !== at)) : undefined}
          />
        ))}
      </div>
      <ShareBar names={shares.map(({ name }) => name)} shares={shares.map(({ share }) => share)} />
      <Button
        size="small"
        icon={<PlusOutlined aria-hidden />}
        onClick={() => put([...parts, [newName(parts.map(([name]) => name)), 0.1]])}
        style={{ alignSelf: 'flex-start' }}
      >
        {t('datasets.prepare.addPart')}
      </Button>
      <Checkbox
        checked={step.keep_duplicates_together !== false}
        onChange={({ target }) => onChange({ ...step, keep_duplicates_together: target.checked })}
      >
        {t('datasets.prepare.keepTogether')}
      </Checkbox>
      {by !== 'time' && <SeedField seed={step.seed} onChange={(seed) => onChange({ ...step, seed })} />}
    </>
  )
}

function newName(taken: readonly string[]): string {
  for (const name of ['validation', 'test']) if (!taken.includes(name)) return name
  let n = 3
  while (taken.includes(`part-${n}`)) n += 1
  return `part-${n}`
}

interface PartProps {
  name: string
  share: number
  rows: string | null
  onName: (name: string) => void
  onShare: (share: number) => void
  onRemove: (() => void) | undefined
}

function Part({ name, share, rows, onName, onShare, onRemove }: PartProps) {
  const { t } = useTranslation()
  return (
    <>
      <Input value={name} onChange={({ target }) => onName(target.value)} aria-label={t('datasets.prepare.partName')} />
      <Flex gap={8} align="center" wrap>
        <InputNumber
          min={0}
          max={100}
          value={Math.round(share * 1e6) / 1e4}
          onChange={(percent) => onShare((percent ?? 0) / 100)}
          aria-label={t('datasets.prepare.share')}
          suffix={'%'}
          style={{ width: 110 }}
        />
        <span className="secondary numeric">{rows}</span>
      </Flex>
      <Button
        type="text"
        icon={<DeleteOutlined />}
        aria-label={t('datasets.prepare.removePart')}
        disabled={!onRemove}
        onClick={onRemove}
      />
    </>
  )
}
