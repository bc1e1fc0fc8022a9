/** A failure in place of content: what happened, evidence, one primary next action. */
import { Alert, Button, Flex, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, errorSentence } from '@/api/errors'

interface Props {
  error: unknown
  title?: string
  onRetry?: () => void
  action?: ReactNode
}

export function ErrorPanel({ error, title, onRetry, action }: Props) {
  const { t } = useTranslation()
  const requestId = error instanceof ApiError ? error.requestId : ''
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      title={title ?? t('errors.title')}
      description={
        <Flex vertical gap={8} align="flex-start">
          <span>{errorSentence(t, error)}</span>
          {requestId && (
            <Typography.Text type="secondary" className="mono" copyable={{ text: requestId }}>
              {t('general.requestId', { id: requestId })}
            </Typography.Text>
          )}
          {(onRetry || action) && (
            <Flex gap={8}>
              {action}
              {onRetry && <Button onClick={onRetry}>{t('general.retry')}</Button>}
            </Flex>
          )}
        </Flex>
      }
    />
  )
}
