/** A few choices side by side, each with a sentence; a group of radio buttons underneath. */
import { Radio } from 'antd'
import type { ReactNode } from 'react'

export interface Choice<T extends string> {
  value: T
  label: ReactNode
  detail: ReactNode
  disabled?: boolean
}

interface Props<T extends string> {
  id: string
  value: T
  choices: readonly Choice<T>[]
  onChange: (value: T) => void
}

export function ChoiceCards<T extends string>({ id, value, choices, onChange }: Props<T>) {
  return (
    <Radio.Group
      id={id}
      aria-labelledby={`${id}-label`}
      className="choice-cards"
      value={value}
      onChange={(event) => onChange(event.target.value as T)}
    >
      {choices.map((choice) => (
        <Radio
          key={choice.value}
          value={choice.value}
          disabled={choice.disabled}
          className={choice.value === value ? 'choice-card choice-card-chosen' : 'choice-card'}
        >
          <span className="choice-title">{choice.label}</span>
          <span className="choice-detail">{choice.detail}</span>
        </Radio>
      ))}
    </Radio.Group>
  )
}
