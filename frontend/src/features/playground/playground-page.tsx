/** The tuned model beside the one it came from: one question, two answers, streaming together. */
import { MessageOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { targetsQuery } from './api'
import { SideBySide } from './side-by-side'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { PageHeader } from '@/components/page-header'

export function PlaygroundPage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(targetsQuery())
  return (
    <>
      <PageHeader title={t('playground.title')} purpose={t('playground.purpose')} />
      {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {!data && !error && <DelayedSkeleton />}
      {data?.length === 0 && (
        <EmptyState
          icon={<MessageOutlined />}
          title={t('playground.empty')}
          detail={t('playground.emptyDetail')}
          actions={
            <>
              <LinkButton type="primary" to={paths.models}>
                {t('playground.addModel')}
              </LinkButton>
              <LinkButton to={paths.newTask}>{t('playground.train')}</LinkButton>
            </>
          }
        />
      )}
      {data && data.length > 0 && <SideBySide targets={data} />}
    </>
  )
}
