/** What the form of one service asks for; the names of its fields lie below `address`. */
import { Form, Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { serviceOf, type Field, type ServiceName } from './services'

export function AddressFields({ service }: { service: ServiceName }) {
  return serviceOf(service).fields.map((field) => (
    <AddressField key={`${service} ${field.name}`} field={field} />
  ))
}

function AddressField({ field }: { field: Field }) {
  const { t } = useTranslation()
  const label = t(`noticeTargets.fields.${field.name}`)
  const isHttps = field.placeholder?.startsWith('https://') ?? false
  return (
    <Form.Item
      name={['address', field.name]}
      label={field.optional ? `${label} (${t('general.optional')})` : label}
      extra={field.help && t(`noticeTargets.fields.${field.help}`)}
      initialValue={field.initial}
      validateTrigger="onBlur"
      rules={[
        { required: !field.optional, whitespace: true, message: t('noticeTargets.dialog.required') },
        {
          pattern: field.pattern,
          message: t(isHttps ? 'noticeTargets.dialog.place' : 'noticeTargets.dialog.required'),
        },
      ]}
    >
      {field.choices ? (
        <Select
          options={field.choices.map((value) => ({
            value,
            label: t(`noticeTargets.fields.${value}`),
          }))}
        />
      ) : (
        <Input
          className="code-input"
          // Neither kept by the browser nor offered on other pages.
          autoComplete={field.secret ? 'off' : undefined}
          type={field.secret && field.name === 'password' ? 'password' : 'text'}
          placeholder={field.placeholder}
          spellCheck={false}
          maxLength={1500}
        />
      )}
    </Form.Item>
  )
}
