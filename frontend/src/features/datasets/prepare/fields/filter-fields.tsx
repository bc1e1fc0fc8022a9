/** Conditions on rows: which field, how it is compared, with what. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Checkbox, Flex, InputNumber, Input, Radio, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { newCondition, type Condition, type StepOf } from '../steps'
import { fieldName } from '../step-text'
import { fieldNames, folds, opsOf, valueKind, withField, withOp } from './conditions'

interface Props {
  step: StepOf<'filter'>
  columns: readonly string[]
  onChange: (step: StepOf<'filter'>) => void
}

export function FilterFields({ step, columns, onChange }: Props) {
  const { t } = useTranslation()
  const { conditions } = step
  const set = (at: number, next: Condition) =>
    onChange({ ...step, conditions: conditions.map((each, n) => (n === at ? next : each)) })
  return (
    <>
      <Radio.Group
        value={step.keep !== false}
        onChange={({ target }) => onChange({ ...step, keep: target.value === true })}
        options={[
          { value: true, label: t('datasets.prepare.keepThem') },
          { value: false, label: t('datasets.prepare.removeThem') },
        ]}
      />
      {conditions.map((condition, at) => (
        <ConditionRow
          key={at}
          condition={condition}
          columns={columns}
          onChange={(next) => set(at, next)}
          onRemove={
            conditions.length > 1
              ? () => onChange({ ...step, conditions: conditions.filter((_, n) => n !== at) })
              : undefined
          }
        />
      ))}
      <Flex gap={8} wrap align="center">
        <Button
          size="small"
          icon={<PlusOutlined aria-hidden />}
          onClick={() => onChange({ ...step, conditions: [...conditions, newCondition()] })}
        >
          {t('datasets.prepare.addCondition')}
        </Button>
        {conditions.length > 1 && (
          <Radio.Group
            size="small"
            optionType="button"
            value={step.match ?? 'all'}
            onChange={({ target }) => onChange({ ...step, match: target.value as 'all' | 'any' })}
            options={[
              { value: 'all', label: t('datasets.prepare.all') },
              { value: 'any', label: t('datasets.prepare.any') },
            ]}
          />
        )}
      </Flex>
    </>
  )
}

interface RowProps {
  condition: Condition
  columns: readonly string[]
  onChange: (condition: Condition) => void
  onRemove: (() => void) | undefined
}

function ConditionRow({ condition, columns, onChange, onRemove }: RowProps) {
  const { t } = useTranslation()
  const { field, op } = condition
  return (
    <div className="condition">
      <Select
        value={field}
        onChange={(next) => onChange(withField(condition, next))}
        aria-label={t('datasets.prepare.field')}
        popupMatchSelectWidth={false}
        options={fieldNames(columns).map((value) => ({ value, label: fieldName(t, value) }))}
      />
      <Select
        value={op}
        onChange={(next) => onChange(withOp(condition, next))}
        aria-label={t('datasets.prepare.comparison')}
        popupMatchSelectWidth={false}
        options={opsOf(field).map((value) => ({ value, label: t(`datasets.prepare.ops.${value}`) }))}
      />
      <ConditionValue condition={condition} onChange={onChange} />
      {onRemove && (
        <Button
          type="text"
          icon={<DeleteOutlined />}
          aria-label={t('datasets.prepare.removeCondition')}
          onClick={onRemove}
        />
      )}
    </div>
  )
}

function ConditionValue({ condition, onChange }: Pick<RowProps, 'condition' | 'onChange'>) {
  const { t } = useTranslation()
  const { field, op, value } = condition
  const label = t('datasets.prepare.value')
  const kind = valueKind(field, op)
  if (kind === 'none') return <span />
  if (kind === 'list') {
    return (
      <Select
        mode="tags"
        value={(Array.isArray(value) ? value : []).map(String)}
        onChange={(next: string[]) => onChange({ ...condition, value: next })}
        aria-label={label}
        placeholder={t('datasets.prepare.values')}
        open={false}
        suffix={null}
      />
    )
  }
  if (kind === 'number') {
    return (
      <InputNumber
        value={typeof value === 'number' ? value : null}
        onChange={(next) => onChange({ ...condition, value: next })}
        aria-label={label}
        style={{ width: '100%' }}
      />
    )
  }
  return (
    <Flex gap={4} vertical>
      <Input
        value={String(value ?? '')}
        onChange={({ target }) => onChange({ ...condition, value: target.value })}
        aria-label={label}
        placeholder={t(op === 'matches' ? 'datasets.prepare.expression' : 'datasets.prepare.value')}
      />
      {folds(op) && (
        <Checkbox
          checked={condition.ignore_case === true}
          onChange={({ target }) => onChange({ ...condition, ignore_case: target.checked })}
        >
          {t('datasets.prepare.ignoreCase')}
        </Checkbox>
      )}
    </Flex>
  )
}
