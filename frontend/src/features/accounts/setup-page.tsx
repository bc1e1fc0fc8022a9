/** The first administrator: token from the server's output, a name, a password. No defaults. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Form, Input } from 'antd'
import { useTranslation } from 'react-i18next'
import { Navigate, useNavigate } from 'react-router'
import { setUp, setupStatusQuery } from './api'
import { PasswordChecklist } from './password-checklist'
import { isAcceptable, judgePassword } from './password-rules'
import type { Schemas } from '@/api/client'
import { errorSentence } from '@/api/errors'
import { paths } from '@/app/paths'
import { showFieldErrors } from '@/components/form-errors'
import { PageHeader } from '@/components/page-header'
import { PasswordInput } from '@/components/password-input'

const FIELDS = ['setup_token', 'username', 'password'] as const
const USERNAME = /^[\w.@-]{2,64}$/
const CHECKLIST_ID = 'password-rules'

export function SetupPage() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [form] = Form.useForm<Schemas['Setup']>()
  const password = Form.useWatch('password', form) ?? ''
  const username = Form.useWatch('username', form) ?? ''
  const status = useQuery(setupStatusQuery())
  const create = useMutation({
    mutationFn: setUp,
    onSuccess: async () => {
      await navigate(paths.overview, { replace: true })
      await queries.resetQueries()
    },
    onError: (error) => showFieldErrors(form, error, t, FIELDS),
  })
  if (status.data && !status.data.needs_setup && !create.isPending && !create.isSuccess) {
    return <Navigate to={paths.login} replace />
  }
  const required = { required: true, message: t('accounts.required') }

  return (
    <>
      <PageHeader title={t('accounts.setup.title')} purpose={t('accounts.setup.purpose')} />
      <Form<Schemas['Setup']>
        form={form}
        layout="vertical"
        requiredMark={false}
        scrollToFirstError={{ focus: true }}
        initialValues={{ setup_token: '', username: '', password: '' }}
        onFinish={(values) => create.mutate(values)}
      >
        {create.error && (
          <Alert
            type="error"
            showIcon
            role="alert"
            title={errorSentence(t, create.error)}
            style={{ marginBottom: 16 }}
          />
        )}
        <Form.Item
          name="setup_token"
          label={t('accounts.setup.token')}
          extra={t('accounts.setup.tokenHelp')}
          rules={[required]}
        >
          <Input autoComplete="one-time-code" spellCheck={false} className="code-input" autoFocus />
        </Form.Item>
        <Form.Item
          name="username"
          label={t('accounts.username')}
          rules={[required, { pattern: USERNAME, message: t('accounts.usernameRule') }]}
          validateTrigger="onBlur"
        >
          <Input autoComplete="username" spellCheck={false} />
        </Form.Item>
        <Form.Item
          name="password"
          label={t('accounts.password')}
          extra={<PasswordChecklist id={CHECKLIST_ID} password={password} username={username} />}
          validateTrigger="onBlur"
          dependencies={['username']}
          rules={[
            required,
            {
              validator: (_rule, value: string) =>
                !value || isAcceptable(judgePassword(value, form.getFieldValue('username') ?? ''))
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('accounts.rules.failed'))),
            },
          ]}
        >
          <PasswordInput autoComplete="new-password" aria-describedby={CHECKLIST_ID} />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={create.isPending}>
          {t('accounts.setup.submit')}
        </Button>
      </Form>
    </>
  )
}
