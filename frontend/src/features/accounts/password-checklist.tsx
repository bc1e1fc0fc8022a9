/** The rules for a password, ticked off while it is typed. */
import { CheckCircleFilled, MinusCircleOutlined } from '@ant-design/icons'
import { useTranslation } from 'react-i18next'
import { judgePassword, MIN_PASSWORD_LENGTH } from './password-rules'

interface Props {
  id: string
  password: string
  username: string
}

export function PasswordChecklist({ id, password, username }: Props) {
  const { t } = useTranslation()
  const verdict = judgePassword(password, username)
  const rules = [
    [verdict.longEnough, t('accounts.rules.length', { min: MIN_PASSWORD_LENGTH })],
    [verdict.notTheName, t('accounts.rules.notTheName')],
    [verdict.varied, t('accounts.rules.varied')],
  ] as const
  return (
    <ul id={id} style={{ listStyle: 'none', margin: '4px 0 16px', padding: 0, fontSize: 12 }}>
      {rules.map(([met, text]) => (
        <li key={text} style={{ color: met ? 'var(--ant-color-success)' : undefined }}>
          {met ? <CheckCircleFilled aria-hidden /> : <MinusCircleOutlined aria-hidden />} {text}
          <span className="visually-hidden">
            {': '}
            {met ? t('accounts.rules.met') : t('accounts.rules.unmet')}
          </span>
        </li>
      ))}
    </ul>
  )
}
