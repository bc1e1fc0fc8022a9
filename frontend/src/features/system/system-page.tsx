/** What this installation runs on: the machine, versions, how the engine is held back. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Card, Descriptions, Flex, Tag, type DescriptionsProps } from 'antd'
import { useTranslation } from 'react-i18next'
import { systemQuery } from './api'
import { HostMeters } from './host-meters'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { Freshness } from '@/components/freshness'
import { PageHeader } from '@/components/page-header'
import { Bytes } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'

export function SystemPage() {
  const { t } = useTranslation()
  const { data, error, refetch, dataUpdatedAt } = useQuery(systemQuery())
  return (
    <>
      <PageHeader
        title={t('system.title')}
        purpose={t('system.purpose')}
        actions={data && <Freshness at={dataUpdatedAt} />}
      />
      {error && !data && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {!data && !error && <DelayedSkeleton rows={8} />}
      {data && <Facts facts={data} />}
    </>
  )
}

function Facts({ facts }: { facts: Schemas['SystemFacts'] }) {
  const { t } = useTranslation()
  return (
    <Flex vertical gap={16}>
      {facts.supervisor === 'absent' && (
        <Alert
          type="warning"
          showIcon
          title={t('system.noSupervisor')}
          description={t('system.noSupervisorHelp')}
        />
      )}
      {facts.unknown_runs > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t('system.unknownRuns', { count: facts.unknown_runs })}
          description={t('system.unknownRunsHelp')}
        />
      )}
      <div
        style={{
          display: 'grid',
          gap: 16,
          gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 420px), 1fr))',
        }}
      >
        <Card size="small" title={t('system.machine')}>
          <HostMeters facts={facts} />
        </Card>
        <Card size="small" title={t('system.installation')}>
          <List items={useInstallation(facts)} />
        </Card>
        <Card size="small" title={t('system.training')}>
          <List items={useTraining(facts)} />
        </Card>
        <Card size="small" title={t('system.isolation')}>
          <Isolation kinds={facts.isolation} />
        </Card>
      </div>
    </Flex>
  )
}

function List({ items }: { items: DescriptionsProps['items'] }) {
  return <Descriptions size="small" column={1} items={items} />
}

function useInstallation(facts: Schemas['SystemFacts']): DescriptionsProps['items'] {
  const { t } = useTranslation()
  return [
    { key: 'version', label: t('system.version'), children: facts.version },
    {
      key: 'started',
      label: t('system.started'),
      children: <RelativeTime at={facts.started_at} />,
    },
    { key: 'host', label: t('system.hostname'), children: facts.hostname },
    { key: 'platform', label: t('system.platform'), children: facts.platform },
    { key: 'cpu', label: t('system.cpu'), children: facts.cpu.name },
    { key: 'python', label: t('system.python'), children: facts.python },
    { key: 'database', label: t('system.database'), children: facts.database },
    {
      key: 'network',
      label: t('system.network'),
      children: t(facts.offline ? 'system.offline' : 'system.online'),
    },
    {
      key: 'roots',
      label: t('system.modelRoots'),
      children: facts.model_roots.length ? (
        <span className="mono" style={{ overflowWrap: 'anywhere' }}>
          {facts.model_roots.join(', ')}
        </span>
      ) : (
        t('general.none')
      ),
    },
  ]
}

function useTraining(facts: Schemas['SystemFacts']): DescriptionsProps['items'] {
  const { t } = useTranslation()
  return [
    {
      key: 'slots',
      label: t('system.slots'),
      children: t('system.slotsUsed', {
        used: facts.training_slots_used,
        all: facts.training_slots,
      }),
    },
    {
      key: 'supervisor',
      label: t('system.supervisor'),
      children: t(`system.supervisorStates.${facts.supervisor}`),
    },
    {
      key: 'gpus',
      label: t('system.gpus'),
      children: facts.gpus.length
        ? facts.gpus.map((gpu) => gpu.name).join(', ')
        : (facts.gpu_error ?? t('system.noGpu')),
    },
    {
      key: 'free',
      label: t('system.diskFree'),
      children: <Bytes value={facts.disk.free_bytes} />,
    },
    {
      key: 'own',
      label: t('system.diskOwn'),
      children: <Bytes value={facts.disk.easytune_bytes} />,
    },
  ]
}

function Isolation({ kinds }: { kinds: string[] }) {
  const { t } = useTranslation()
  return (
    <Flex vertical gap={12}>
      <span className="secondary">{t('system.isolationHelp')}</span>
      {kinds.length === 0 ? (
        <Alert type="warning" showIcon title={t('system.noIsolation')} />
      ) : (
        <Flex gap={8} wrap>
          {kinds.map((kind) => (
            <Tag key={kind}>
              {t(`system.isolationKinds.${kind}` as 'system.isolation', { defaultValue: kind })}
            </Tag>
          ))}
        </Flex>
      )}
    </Flex>
  )
}
