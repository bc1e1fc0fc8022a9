/** The fields of one change, made from what it asks for. */
import { Checkbox, Flex, Input, InputNumber, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { CHANGE_FIELDS, meantText, shownText, type ChangeField } from './change-specs'
import { FieldRow } from './field-row'
import type { Change } from '../steps'

interface Props {
  change: Change
  columns: readonly string[]
  onChange: (change: Change) => void
}

type Values = Record<string, unknown>

export function ChangeForm({ change, columns, onChange }: Props) {
  const { t } = useTranslation()
  const fields = CHANGE_FIELDS[change.kind]
  if (fields.length === 0) return null
  const values = change as unknown as Values
  return (
    <Flex gap={12} wrap>
      {fields.map((field) => (
        <ChangeInput
          key={`${change.kind} ${field.name}`}
          field={field}
          label={t(`datasets.prepare.changeFields.${field.name}` as 'datasets.prepare.changeFields.text')}
          value={values[field.name]}
          columns={columns}
          onChange={(value) => onChange({ ...values, [field.name]: value } as unknown as Change)}
        />
      ))}
    </Flex>
  )
}

interface InputProps {
  field: ChangeField
  label: string
  value: unknown
  columns: readonly string[]
  onChange: (value: unknown) => void
}

function ChangeInput({ field, label, value, columns, onChange }: InputProps) {
  const { t } = useTranslation()
  const text = typeof value === 'string' ? value : value == null ? '' : String(value)
  const listed = columns.map((column) => ({ value: column, label: column }))
  if (field.type === 'switch') {
    return (
      <Checkbox checked={value === true} onChange={({ target }) => onChange(target.checked)} className="step-check">
        {label}
      </Checkbox>
    )
  }
  const input = (id: string) => {
    switch (field.type) {
      case 'long':
        return (
          <Input.TextArea
            id={id}
            value={text}
            maxLength={20_000}
            autoSize={{ minRows: 1, maxRows: 6 }}
            onChange={({ target }) => onChange(target.value === '' && field.name === 'system' ? null : target.value)}
          />
        )
      case 'number':
        return (
          <InputNumber
            id={id}
            min={1}
            max={10_000}
            precision={0}
            value={typeof value === 'number' ? value : null}
            onChange={(next) => onChange(next ?? 1)}
          />
        )
      case 'column':
        return (
          <Select
            id={id}
            value={text || undefined}
            onChange={onChange}
            options={listed}
            placeholder={t('datasets.prepare.chooseColumn')}
            notFoundContent={t('datasets.prepare.noColumns')}
          />
        )
      case 'columns':
        return (
          <Select
            id={id}
            mode="multiple"
            value={Array.isArray(value) ? (value as string[]) : []}
            onChange={(next: string[]) => onChange(next.length > 0 ? next : null)}
            options={listed}
            placeholder={t('datasets.prepare.allColumns')}
            notFoundContent={t('datasets.prepare.noColumns')}
          />
        )
      case 'choice':
        return (
          <Select
            id={id}
            value={text}
            onChange={onChange}
            options={field.options.map((option) => ({
              value: option,
              label: t(`datasets.prepare.choices.${option}` as 'datasets.prepare.choices.all'),
            }))}
          />
        )
      default:
        return (
          <Input id={id} value={shownText(text)} onChange={({ target }) => onChange(meantText(target.value))} />
        )
    }
  }
  return (
    <div className={field.type === 'long' ? 'step-wide' : 'step-narrow'}>
      <FieldRow label={label}>{input}</FieldRow>
    </div>
  )
}
