/** A labelled field: help, error and label are tied to the input for whoever can not see them. */
import { Form } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldId } from './use-steps'
import type { Wizard } from './use-wizard'

export interface InputProps {
  id: string
  status: 'error' | ''
  onBlur: () => void
  'aria-describedby': string | undefined
  'aria-invalid': boolean
  'aria-required': boolean
}

interface Props {
  wizard: Wizard
  field: string
  label: ReactNode
  help?: ReactNode
  optional?: boolean
  /** Whether it must be filled: as a rule all that is not called optional. */
  required?: boolean
  className?: string
  /** A group of choices: named by its label, which belongs to no single input. */
  group?: boolean
  children: (input: InputProps) => ReactNode
}

export function Field({ wizard, field, label, help, className, group, children, ...props }: Props) {
  const { t } = useTranslation()
  const { optional = false, required = !optional } = props
  const id = fieldId(field)
  const error = wizard.errorOf(field)
  const described = [error && `${id}-error`, help && `${id}-help`].filter(Boolean).join(' ')
  return (
    <Form.Item
      className={className}
      label={
        <span id={`${id}-label`}>
          {label}
          {optional && <span className="secondary"> ({t('general.optional')})</span>}
        </span>
      }
      htmlFor={group ? undefined : id}
      validateStatus={error ? 'error' : ''}
      extra={
        (error || help) && (
          <>
            {error && (
              <div id={`${id}-error`} role="alert" className="field-error">
                {error}
              </div>
            )}
            {help && (
              <div id={`${id}-help`} className="field-help">
                {help}
              </div>
            )}
          </>
        )
      }
    >
      {children({
        id,
        status: error ? 'error' : '',
        onBlur: () => wizard.dispatch({ type: 'touch', fields: [field] }),
        'aria-describedby': described || undefined,
        'aria-invalid': Boolean(error),
        'aria-required': required,
      })}
    </Form.Item>
  )
}
