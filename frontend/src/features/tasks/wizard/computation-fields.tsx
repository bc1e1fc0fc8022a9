/** How a run computes and how it writes conversations: for whoever has a reason to say so. */
import { Input, Select, Switch } from 'antd'
import { useTranslation } from 'react-i18next'
import { Field } from './field'
import type { Wizard } from './use-wizard'
import { PRECISIONS, usesTemplate, type Values } from './values'

/** The fields below. */
export const COMPUTATION_FIELDS = ['precision', 'deterministic', 'chat_template'] as const

/** Those of them that matter for a run. */
export const computationFields = (values: Values) =>
  COMPUTATION_FIELDS.filter((field) => field !== 'chat_template' || usesTemplate(values))

export function ComputationFields({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { values } = wizard.state
  const { precision, deterministic, chat_template } = values
  const edit = (changed: Partial<Values>) => wizard.dispatch({ type: 'edit', values: changed })
  return (
    <>
      <Field
        wizard={wizard}
        field="precision"
        className="knob"
        label={t('wizard.method.precision')}
        help={t('wizard.method.precisionHelp')}
      >
        {(input) => (
          <Select
            {...input}
            value={precision}
            onChange={(value) => edit({ precision: value })}
            options={PRECISIONS.map((value) => ({ value, label: t(`wizard.method.precisions.${value}`) }))}
          />
        )}
      </Field>
      <Field
        wizard={wizard}
        field="deterministic"
        className="knob"
        label={t('wizard.method.deterministic')}
        help={t('wizard.method.deterministicHelp')}
      >
        {({ id, 'aria-describedby': described }) => (
          <Switch
            id={id}
            aria-describedby={described}
            checked={deterministic}
            onChange={(value) => edit({ deterministic: value })}
          />
        )}
      </Field>
      {usesTemplate(values) && (
        <Field
          wizard={wizard}
          field="chat_template"
          className="knob-wide"
          optional
          label={t('wizard.method.chatTemplate')}
          help={t('wizard.method.chatTemplateHelp')}
        >
          {(input) => (
            <Input.TextArea
              {...input}
              className="mono"
              spellCheck={false}
              value={chat_template ?? ''}
              autoSize={{ minRows: 2, maxRows: 16 }}
              onChange={({ target }) => edit({ chat_template: target.value || null })}
            />
          )}
        </Field>
      )}
    </>
  )
}
