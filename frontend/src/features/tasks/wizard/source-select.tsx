/** Choosing one of many by name; what can not be used yet is listed with its state. */
import { Select, type SelectProps } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { InputProps } from './field'

export interface SourceOption {
  value: string
  label: string
  detail: ReactNode
  disabled?: boolean
}

interface Props {
  input: InputProps
  value: string | null
  options: SourceOption[] | undefined
  placeholder: string
  allowClear?: boolean
  onChange: (value: string | null) => void
}

const matches: NonNullable<SelectProps<string, SourceOption>['showSearch']> = {
  filterOption: (typed, option) =>
    Boolean(option?.label.toLowerCase().includes(typed.toLowerCase())),
}

export function SourceSelect({ input, value, options, placeholder, allowClear, onChange }: Props) {
  const { t } = useTranslation()
  return (
    <Select<string, SourceOption>
      {...input}
      style={{ flex: '1 1 240px', minWidth: 0 }}
      value={value ?? undefined}
      loading={!options}
      options={options ?? []}
      placeholder={placeholder}
      allowClear={allowClear}
      showSearch={matches}
      // What was chosen and is no longer there has no name.
      labelRender={({ label }) => label ?? (options ? t('wizard.sources.gone') : null)}
      onChange={(next: string | undefined) => onChange(next ?? null)}
      optionRender={({ data }) => (
        <div className="source-option">
          <span>{data.label}</span>
          <span className="secondary numeric">{data.detail}</span>
        </div>
      )}
    />
  )
}
