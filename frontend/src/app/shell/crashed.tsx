/**
 * A page threw: say so, keep the frame, offer to reload. A page whose files could not be loaded is
 * another matter: it reloads by itself, when the server answers again or has a newer version.
 */
import { Button, Flex, Result, Typography } from 'antd'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useRouteError } from 'react-router'
import { isLoadingFailure, reloadWhenPossible } from './loading-failure'

export function Crashed() {
  const { t } = useTranslation()
  const error = useRouteError()
  const loading = isLoadingFailure(error)
  useEffect(() => (loading ? reloadWhenPossible() : undefined), [loading])
  const line = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const words = loading ? 'shell.notLoaded' : 'shell.crashed'
  return (
    <Result
      status="warning"
      title={<h1 className="plain-heading">{t(`${words}.title`)}</h1>}
      subTitle={t(`${words}.detail`)}
      extra={
        <Flex vertical gap={16} align="center">
          <Button type="primary" onClick={() => window.location.reload()}>
            {t('shell.crashed.reload')}
          </Button>
          {!loading && (
            <Typography.Text code copyable={{ text: line }}>
              {line}
            </Typography.Text>
          )}
        </Flex>
      }
    />
  )
}
