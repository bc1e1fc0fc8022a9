/** Step 1: what it is called and what it is for. */
import { Input } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ChoiceCards } from './choice-cards'
import { Field } from './field'
import type { Wizard } from './use-wizard'
import { INTENTS, isKnownIntent } from '../intents'

export function StepGoal({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { values } = wizard.state
  const [initial] = useState(values.intent)
  const own = isKnownIntent(initial) ? [] : [initial]
  const edit = (changed: Partial<typeof values>) =>
    wizard.dispatch({ type: 'edit', values: changed })
  return (
    <>
      <Field wizard={wizard} field="intent" group label={t('wizard.goal.intent')}>
        {({ id }) => (
          <ChoiceCards
            id={id}
            value={values.intent}
            onChange={(intent) => edit({ intent })}
            choices={[
              ...INTENTS.map((value) => ({
                value: value as string,
                label: t(`tasks.intents.${value}`),
                detail: t(`wizard.goal.intents.${value}`),
              })),
              ...own.map((value) => ({ value, label: value, detail: t('wizard.goal.ownIntent') })),
            ]}
          />
        )}
      </Field>
      <div className="field-grid">
        <Field
          wizard={wizard}
          field="name"
          label={t('wizard.goal.name')}
          help={t('wizard.goal.nameHelp')}
        >
          {(input) => (
            <Input
              {...input}
              value={values.name}
              autoComplete="off"
              onChange={(event) => edit({ name: event.target.value })}
            />
          )}
        </Field>
        <Field
          wizard={wizard}
          field="output_name"
          label={t('wizard.goal.output')}
          help={t('wizard.goal.outputHelp')}
        >
          {(input) => (
            <Input
              {...input}
              style={{ fontFamily: 'var(--ant-font-family-code)' }}
              value={values.output_name}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => edit({ output_name: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field wizard={wizard} field="description" optional label={t('wizard.goal.description')}>
        {(input) => (
          <Input.TextArea
            {...input}
            value={values.description}
            autoSize={{ minRows: 2, maxRows: 8 }}
            onChange={(event) => edit({ description: event.target.value })}
          />
        )}
      </Field>
    </>
  )
}
