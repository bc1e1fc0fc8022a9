/** The first page: what runs, what is wrong, what needs me, what this machine has left. */
import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Card, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { paths } from '../paths'
import { Counts } from './counts'
import { FirstSteps } from './first-steps'
import { LatestRuns } from './latest-runs'
import { NeedsYou } from './needs-you'
import { RunningNow } from './running-now'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { Freshness } from '@/components/freshness'
import { LinkButton } from '@/components/link-button'
import { PageHeader } from '@/components/page-header'
import { overviewQuery, systemQuery } from '@/features/system/api'
import { HostMeters } from '@/features/system/host-meters'
import './overview.css'

export function OverviewPage() {
  const { t } = useTranslation()
  const overview = useQuery(overviewQuery())
  const system = useQuery(systemQuery())
  const tasks = Object.values(overview.data?.tasks ?? {}).reduce((sum, count) => sum + count, 0)
  return (
    <>
      <PageHeader
        title={t('overview.title')}
        actions={
          <>
            <LinkButton to={`${paths.datasets}?upload=1`}>{t('shell.jump.actions.upload')}</LinkButton>
            <LinkButton type="primary" icon={<PlusOutlined />} to={paths.newTask}>
              {t('shell.jump.actions.newTask')}
            </LinkButton>
          </>
        }
      />
      {overview.error && !overview.data && (
        <ErrorPanel error={overview.error} onRetry={() => void overview.refetch()} />
      )}
      {!overview.data && !overview.error && <DelayedSkeleton rows={8} />}
      {overview.data && (
        <Flex vertical gap={16}>
          <FirstSteps counts={overview.data} />
          <div className="overview-top">
            <Card size="small" title={t('overview.running')}>
              <RunningNow />
            </Card>
            <Card
              size="small"
              title={<Link to={paths.system}>{t('overview.machine')}</Link>}
              extra={system.data && <Freshness at={system.dataUpdatedAt} />}
            >
              {system.data ? <HostMeters facts={system.data} /> : <DelayedSkeleton />}
            </Card>
          </div>
          <Counts counts={overview.data} />
          <NeedsYou facts={system.data} failed={overview.data.tasks.FAILED ?? 0} />
          {tasks > 0 && <LatestRuns />}
        </Flex>
      )}
    </>
  )
}
