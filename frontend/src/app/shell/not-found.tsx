/** An address without a page. */
import { Button, Result } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { paths } from '../paths'

export function NotFound() {
  const { t } = useTranslation()
  return (
    <Result
      status="info"
      title={t('shell.notFound.title')}
      subTitle={t('shell.notFound.detail')}
      extra={
        <Link to={paths.overview}>
          <Button type="primary">{t('shell.notFound.home')}</Button>
        </Link>
      }
    />
  )
}
