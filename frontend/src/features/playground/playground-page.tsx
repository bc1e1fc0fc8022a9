/** The tuned model beside the one it came from: asked the same, answering side by side. */
import { MessageOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { targetsQuery, type Target } from './api'
import { ColumnHeads } from './column-heads'
import { LabelsView } from './labels-view'
import { SideBySide } from './side-by-side'
import { familyOfColumns } from './targets'
import { useColumns } from './use-columns'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { PageHeader } from '@/components/page-header'
import './playground.css'

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
      {data && data.length > 0 && <Room targets={data} />}
    </>
  )
}

/** What the chosen models are for decides how they are asked. */
function Room({ targets }: { targets: Target[] }) {
  const { columns, choose } = useColumns(targets)
  const family = familyOfColumns(columns)
  const heads = <ColumnHeads targets={targets} columns={columns} onChoose={choose} />
  if (family === 'texts') return <SideBySide columns={columns} heads={heads} />
  return (
    <>
      {heads}
      <LabelsView key={family} columns={columns} scores={family === 'scores'} />
    </>
  )
}
