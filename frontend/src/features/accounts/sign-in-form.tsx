/** Name and password: on the sign-in page, and above a page whose session ended. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Form, Input } from 'antd'
import { useTranslation } from 'react-i18next'
import { signIn } from './api'
import { errorSentence } from '@/api/errors'
import { PasswordInput } from '@/components/password-input'

interface Values {
  username: string
  password: string
}

/** With `username` the name is known and need not be typed again. */
export function SignInForm({ username }: { username?: string }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const enter = useMutation({
    mutationFn: (values: Values) => signIn({ ...values, username: username ?? values.username }),
    onSuccess: () => queries.invalidateQueries(),
  })
  const required = [{ required: true, message: t('accounts.required') }]

  return (
    <Form<Values>
      layout="vertical"
      requiredMark={false}
      initialValues={{ username: username ?? '', password: '' }}
      onFinish={(values) => enter.mutate(values)}
    >
      {enter.error && (
        <Alert
          type="error"
          showIcon
          role="alert"
          title={errorSentence(t, enter.error)}
          style={{ marginBottom: 16 }}
        />
      )}
      <Form.Item name="username" label={t('accounts.username')} rules={username ? [] : required}>
        <Input autoComplete="username" autoFocus={!username} disabled={Boolean(username)} />
      </Form.Item>
      <Form.Item name="password" label={t('accounts.password')} rules={required}>
        <PasswordInput autoComplete="current-password" autoFocus={Boolean(username)} />
      </Form.Item>
      <Button type="primary" htmlType="submit" block loading={enter.isPending}>
        {t('accounts.signIn.submit')}
      </Button>
    </Form>
  )
}
