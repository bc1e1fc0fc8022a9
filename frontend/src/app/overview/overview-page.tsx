/** The first page. */
import { useTranslation } from 'react-i18next'
import { PageHeader } from '@/components/page-header'

export function OverviewPage() {
  const { t } = useTranslation()
  return <PageHeader title={t('shell.nav.overview')} />
}
