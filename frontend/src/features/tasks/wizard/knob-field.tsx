/** One hyper-parameter: input, unit, range, what is recommended and why, and the way back to it. */
import { UndoOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { knobField } from './check'
import { Field } from './field'
import { KnobInput } from './knob-input'
import type { Knob } from './knobs'
import { isChanged } from './state'
import { knobHelp, knobLabel, rangeText, reasonText, valueText } from './texts'
import type { Wizard } from './use-wizard'
import { useFormat } from '@/i18n/format'

export function KnobField({ wizard, knob }: { wizard: Wizard; knob: Knob }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { state, plan, dispatch } = wizard
  const { name } = knob
  const changed = isChanged(state, name)
  const good = valueText(t, format, knob, state.baseline.hyperparameters[name])
  const range = rangeText(t, format, knob)
  const reason = reasonText(t, format, plan.recommendation, name)
  const label = knobLabel(t, name)
  const facts = [
    range,
    t(plan.recommendation ? 'wizard.method.suggested' : 'wizard.method.default', { value: good }),
  ].filter(Boolean)
  return (
    <Field
      wizard={wizard}
      field={knobField(name)}
      className={changed ? 'knob knob-changed' : 'knob'}
      required={knob.empty === undefined}
      label={
        <>
          {label}
          {changed && <span className="changed-mark"> · {t('wizard.method.changed')}</span>}
        </>
      }
      help={
        <>
          <div>{knobHelp(t, knob)}</div>
          <div className="numeric">
            {facts.join(' · ')}
            {changed && (
              <Button
                type="link"
                size="small"
                icon={<UndoOutlined aria-hidden />}
                aria-label={t('wizard.method.resetOf', { field: label, value: good })}
                onClick={() => dispatch({ type: 'reset', name })}
              >
                {t('general.reset')}
              </Button>
            )}
          </div>
          {reason && <div>{reason}</div>}
        </>
      }
    >
      {(input) => (
        <KnobInput
          knob={knob}
          input={input}
          value={state.values.hyperparameters[name]}
          onChange={(value) => dispatch({ type: 'knob', name, value })}
        />
      )}
    </Field>
  )
}
