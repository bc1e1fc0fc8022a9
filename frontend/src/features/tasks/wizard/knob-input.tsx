/** The input for one hyper-parameter, as its kind asks for. */
import { InputNumber, Select, Switch } from 'antd'
import { useTranslation } from 'react-i18next'
import type { InputProps } from './field'
import { isEmpty, type Knob } from './knobs'
import { choiceText, emptyText, knobUnit } from './texts'

interface Props {
  knob: Knob
  value: unknown
  input: InputProps
  onChange: (value: unknown) => void
}

export function KnobInput({ knob, value, input, onChange }: Props) {
  const { t } = useTranslation()
  const filled = isEmpty(knob, value) ? null : value
  switch (knob.kind) {
    case 'boolean': {
      const { id, 'aria-describedby': described } = input
      return <Switch id={id} aria-describedby={described} checked={value === true} onChange={onChange} />
    }
    case 'choice':
      return (
        <Select
          {...input}
          value={filled as string | null}
          onChange={onChange}
          options={knob.choices.map((choice) => ({ value: choice, label: choiceText(t, choice) }))}
        />
      )
    case 'names':
      return (
        <Select
          {...input}
          mode="tags"
          open={false}
          suffix={null}
          tokenSeparators={[',', ' ', ';']}
          placeholder={emptyText(t, knob)}
          value={(filled as string[] | null) ?? []}
          onChange={(names: string[]) => onChange(names.length > 0 ? names : (knob.empty ?? null))}
        />
      )
    default:
      return (
        // No min and max: a value out of range is named, not silently replaced.
        <InputNumber<number>
          {...input}
          style={{ width: '100%' }}
          value={filled as number | null}
          suffix={knobUnit(t, knob)}
          placeholder={emptyText(t, knob)}
          controls={knob.kind === 'integer'}
          keyboard={knob.kind === 'integer'}
          onChange={(next) => onChange(next ?? knob.empty ?? null)}
        />
      )
  }
}
