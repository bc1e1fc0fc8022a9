/** How the run waits and what happens when the machine fails it: its place and its automatic retries. */
import { Form, InputNumber, Segmented } from 'antd'
import { useTranslation } from 'react-i18next'
import { Field } from './field'
import type { Wizard } from './use-wizard'
import { MOST_RETRIES, PRIORITIES } from './values'

export function QueueFields({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { state, dispatch } = wizard
  const { priority, automatic_retries: retries } = state.values
  return (
    <Form layout="vertical" component="div" style={{ marginTop: 12 }}>
      <Field wizard={wizard} field="priority" label={t('tasks.priority.title')} help={t('tasks.priority.help')} group>
        {({ id }) => (
          <Segmented
            value={priority}
            aria-labelledby={`${id}-label`}
            options={PRIORITIES.map((value) => ({ value, label: t(`tasks.priority.${value}`) }))}
            onChange={(value) => dispatch({ type: 'edit', values: { priority: value } })}
          />
        )}
      </Field>
      <Field
        wizard={wizard}
        field="automatic_retries"
        label={t('tasks.retry.setting')}
        help={t('tasks.retry.help')}
        required={false}
      >
        {(input) => (
          <InputNumber
            {...input}
            min={0}
            max={MOST_RETRIES}
            precision={0}
            value={retries}
            onChange={(value) => dispatch({ type: 'edit', values: { automatic_retries: value ?? 0 } })}
          />
        )}
      </Field>
    </Form>
  )
}
