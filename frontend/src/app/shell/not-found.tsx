/** An address without a page. */
import { Result } from 'antd'
import { useTranslation } from 'react-i18next'
import { paths } from '../paths'
import { LinkButton } from '@/components/link-button'

export function NotFound() {
  const { t } = useTranslation()
  return (
    <Result
      status="info"
      title={<h1 className="plain-heading">{t('shell.notFound.title')}</h1>}
      subTitle={t('shell.notFound.detail')}
      extra={
        <LinkButton to={paths.overview} type="primary">
          {t('shell.notFound.home')}
        </LinkButton>
      }
    />
  )
}
