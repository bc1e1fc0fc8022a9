/** Base models: those that are here, and those worth knowing. */
import { DeploymentUnitOutlined, PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, Flex, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { AddModelDialog } from './add-model-dialog'
import { catalogQuery, modelPagesQuery } from './api'
import { CatalogCard } from './catalog-card'
import { ModelTable } from './model-table'
import { useAddModel } from './use-add-model'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { ListSearch } from '@/components/list-search'
import { LoadMore } from '@/components/load-more'
import { PageHeader } from '@/components/page-header'
import { useSearchState } from '@/components/use-search-state'

export function ModelsPage() {
  const { t } = useTranslation()
  const [{ q, add }, set] = useSearchState({ q: '', add: '' })
  return (
    <>
      <PageHeader
        title={t('models.title')}
        purpose={t('models.purpose')}
        actions={
          <Button type="primary" icon={<PlusOutlined />} onClick={() => set({ add: '1' })}>
            {t('models.add.title')}
          </Button>
        }
      />
      <Flex style={{ marginBottom: 16 }}>
        <ListSearch q={q} label={t('models.search')} onSearch={(text) => set({ q: text })} />
      </Flex>
      <Installed q={q} />
      <Catalog q={q} />
      <AddModelDialog open={Boolean(add)} onClose={() => set({ add: '' })} />
    </>
  )
}

function Installed({ q }: { q: string }) {
  const { t } = useTranslation()
  const adding = useAddModel()
  const models = useInfiniteQuery(modelPagesQuery(q ? { q } : {}))
  const items = models.data?.pages.flatMap((page) => page.items)
  return (
    <section style={{ marginBottom: 32 }}>
      <Typography.Title level={2}>{t('models.installed')}</Typography.Title>
      {models.error && (
        <ErrorPanel error={models.error} onRetry={() => void models.refetch()} />
      )}
      {!items && !models.error && <DelayedSkeleton />}
      {items?.length === 0 && !q && (
        <EmptyState
          icon={<DeploymentUnitOutlined />}
          title={t('models.empty.title')}
          detail={t('models.empty.detail')}
          actions={
            <Button
              type="primary"
              loading={adding.isPending}
              onClick={() => adding.mutate({ source: 'starter', reference: '' })}
            >
              {t('models.empty.addStarter')}
            </Button>
          }
        />
      )}
      {items && (items.length > 0 || q) && <ModelTable items={items} />}
      <LoadMore list={models} />
    </section>
  )
}

function Catalog({ q }: { q: string }) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(catalogQuery())
  const wanted = q.toLowerCase()
  const entries = data?.filter(({ name, family, reference }) =>
    `${name} ${family} ${reference}`.toLowerCase().includes(wanted),
  )
  return (
    <section>
      <Typography.Title level={2}>{t('models.catalog.title')}</Typography.Title>
      <Typography.Paragraph type="secondary">{t('models.catalog.purpose')}</Typography.Paragraph>
      {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {!data && !error && <DelayedSkeleton />}
      {entries?.length === 0 && <p className="secondary">{t('general.noMatch')}</p>}
      <div
        style={{
          display: 'grid',
          gap: 12,
          gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 300px), 1fr))',
        }}
      >
        {entries?.map((entry) => (
          <CatalogCard key={`${entry.source}:${entry.reference}`} entry={entry} />
        ))}
      </div>
    </section>
  )
}
