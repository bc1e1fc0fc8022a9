/** One data set: what state it is in, what is in it, what became of the rows of the file. */
import { DeleteOutlined, DownloadOutlined, EditOutlined, EllipsisOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Dropdown, Tabs } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { datasetFileUrl, datasetQuery } from './api'
import { DatasetFacts } from './dataset-facts'
import { DatasetUses } from './dataset-uses'
import { EditDialog } from './edit-dialog'
import { ReportTab } from './report/report-tab'
import { StateNotice } from './state-notice'
import { TokensTab } from './tokens/tokens-tab'
import { useDeleteDataset } from './use-delete-dataset'
import { FieldsTab } from './view/fields-tab'
import { PreviewTab } from './view/preview-tab'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { LinkButton } from '@/components/link-button'
import { PageFailure } from '@/components/page-failure'
import { PageHeader } from '@/components/page-header'
import { DatasetStatusTag } from '@/components/status-tag'
import { useSearchState } from '@/components/use-search-state'

export function DatasetPage() {
  const { t } = useTranslation()
  const { datasetId = '' } = useParams()
  const { data, error, refetch } = useQuery(datasetQuery(datasetId))
  if (data) return <Shown dataset={data} />
  const list = { label: t('datasets.title'), to: paths.datasets }
  if (error) return <PageFailure error={error} list={list} onRetry={() => void refetch()} />
  return (
    <>
      <PageHeader title={list.label} trail={[list]} />
      <DelayedSkeleton />
    </>
  )
}

function Shown({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  const [{ tab }, set] = useSearchState({ tab: '' })
  const remove = useDeleteDataset(() => void navigate(paths.datasets))
  const { id, name, status } = dataset
  const hasRows = status === 'ready' || status === 'blocked' || status === 'needs_mapping'
  const hasReport = status !== 'importing' && status !== 'needs_mapping'
  const trainable = (status === 'ready' || status === 'blocked') && dataset.objectives.length > 0
  const first = status === 'ready' || status === 'needs_mapping' ? 'preview' : 'report'

  return (
    <>
      <PageHeader
        title={name}
        trail={[{ label: t('datasets.title'), to: paths.datasets }]}
        status={<DatasetStatusTag status={status} />}
        purpose={dataset.description}
        actions={
          <>
            {status === 'ready' && (
              <LinkButton type="primary" to={withQuery(paths.newTask, { dataset: id })}>
                {t('datasets.train')}
              </LinkButton>
            )}
            <Button icon={<DownloadOutlined />} href={datasetFileUrl(id)} download>
              {t('datasets.downloadFile')}
            </Button>
            <Dropdown
              trigger={['click']}
              menu={{
                items: [
                  { key: 'edit', icon: <EditOutlined />, label: t('datasets.edit.title') },
                  {
                    key: 'delete',
                    icon: <DeleteOutlined />,
                    label: t('general.delete'),
                    danger: true,
                  },
                ],
                onClick: ({ key }) => (key === 'edit' ? setEditing(true) : remove(dataset)),
              }}
            >
              <Button icon={<EllipsisOutlined />} aria-label={t('general.actions')} />
            </Dropdown>
          </>
        }
      />
      <StateNotice dataset={dataset} onShowReport={() => set({ tab: 'report' })} />
      <DatasetFacts dataset={dataset} />
      <DatasetUses dataset={dataset} />
      {(hasRows || hasReport) && (
        <Tabs
          activeKey={tab || first}
          onChange={(key) => set({ tab: key === first ? '' : key })}
          items={[
            ...(hasRows
              ? [
                  {
                    key: 'preview',
                    label: t('datasets.tabs.preview'),
                    children: <PreviewTab dataset={dataset} />,
                  },
                  {
                    key: 'fields',
                    label: t('datasets.tabs.fields'),
                    children: <FieldsTab dataset={dataset} />,
                  },
                ]
              : []),
            ...(trainable
              ? [
                  {
                    key: 'tokens',
                    label: t('datasets.tokens.tab'),
                    children: <TokensTab dataset={dataset} />,
                  },
                ]
              : []),
            ...(hasReport
              ? [
                  {
                    key: 'report',
                    label: t('datasets.tabs.report'),
                    children: <ReportTab dataset={dataset} />,
                  },
                ]
              : []),
          ]}
          destroyOnHidden
        />
      )}
      <EditDialog dataset={dataset} open={editing} onClose={() => setEditing(false)} />
    </>
  )
}
