/** All data sets: upload, search, filter, open, delete. */
import { DatabaseOutlined, UploadOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Flex, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { datasetPagesQuery } from './api'
import { DatasetTable } from './dataset-table'
import { ExampleButtons } from './example-buttons'
import { HubButton } from './hub/hub-button'
import { UploadPanel } from './upload/upload-panel'
import { useUnfinished } from './upload/unfinished-list'
import { useUploads } from './upload/uploads'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { ListSearch } from '@/components/list-search'
import { LoadMore } from '@/components/load-more'
import { PageHeader } from '@/components/page-header'
import { useSearchState } from '@/components/use-search-state'

const STATUSES = ['ready', 'importing', 'needs_mapping', 'blocked', 'failed'] as const

export function DatasetListPage() {
  const { t } = useTranslation()
  const [{ q, status, upload }, set] = useSearchState({ q: '', status: '', upload: '' })
  const uploads = useUploads()
  const unfinished = useUnfinished()
  const filtered = Boolean(q || status)
  const query = {
    ...(q && { q }),
    ...(status && { status: status as Schemas['DatasetStatus'] }),
  }
  const list = useInfiniteQuery(datasetPagesQuery(query))
  const { data, error, refetch } = list
  const items = data?.pages.flatMap((page) => page.items)
  const none = items?.length === 0 && !filtered

  return (
    <>
      <PageHeader
        title={t('datasets.title')}
        purpose={t('datasets.purpose')}
        actions={
          <>
            {!none && <ExampleButtons compact />}
            <HubButton />
            <Button
              type="primary"
              icon={<UploadOutlined />}
              onClick={() => set({ upload: upload ? '' : '1' })}
              aria-expanded={Boolean(upload || none)}
            >
              {t('datasets.upload.title')}
            </Button>
          </>
        }
      />
      {(upload || none || uploads.length > 0 || unfinished.length > 0) && <UploadPanel />}
      {none ? (
        <EmptyState
          icon={<DatabaseOutlined />}
          title={t('datasets.empty.title')}
          detail={t('datasets.empty.detail')}
          actions={<ExampleButtons />}
        />
      ) : (
        <>
          <Flex gap={8} wrap style={{ marginBottom: 12 }}>
            <ListSearch
              q={q}
              label={t('datasets.search')}
              onSearch={(text) => set({ q: text })}
            />
            <Select
              value={status}
              onChange={(next) => set({ status: next })}
              aria-label={t('general.status')}
              style={{ width: 180 }}
              options={[
                { value: '', label: t('datasets.anyStatus') },
                ...STATUSES.map((value) => ({ value, label: t(`status.dataset.${value}`) })),
              ]}
            />
          </Flex>
          {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
          {!items && !error && <DelayedSkeleton />}
          {items && <DatasetTable items={items} />}
          <LoadMore list={list} />
        </>
      )}
    </>
  )
}
