/** A page threw: say so, keep the frame, offer to reload. */
import { Button, Flex, Result, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { useRouteError } from 'react-router'

export function Crashed() {
  const { t } = useTranslation()
  const error = useRouteError()
  const line = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return (
    <Result
      status="warning"
      title={<h1 className="plain-heading">{t('shell.crashed.title')}</h1>}
      subTitle={t('shell.crashed.detail')}
      extra={
        <Flex vertical gap={16} align="center">
          <Button type="primary" onClick={() => window.location.reload()}>
            {t('shell.crashed.reload')}
          </Button>
          <Typography.Text code copyable={{ text: line }}>
            {line}
          </Typography.Text>
        </Flex>
      }
    />
  )
}
