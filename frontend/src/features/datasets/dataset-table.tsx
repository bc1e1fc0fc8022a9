/** The list as a table. */
import { DeleteOutlined } from '@ant-design/icons'
import { Button, Flex, Progress, Table, Tooltip, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { errorLine } from './dataset-error'
import { useDeleteDataset } from './use-delete-dataset'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { Bytes } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { DatasetStatusTag } from '@/components/status-tag'
import { useFormat } from '@/i18n/format'

type Dataset = Schemas['Dataset']

export function DatasetTable({ items }: { items: Dataset[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const remove = useDeleteDataset()
  const columns: TableColumnsType<Dataset> = [
    {
      title: t('general.name'),
      key: 'name',
      render: (_, dataset) => (
        <div style={{ minWidth: 160 }}>
          <Link to={paths.dataset(dataset.id)} style={{ overflowWrap: 'anywhere' }}>
            {dataset.name}
          </Link>
          {dataset.error && (
            <div style={{ fontSize: 12, color: 'var(--ant-color-text-secondary)' }}>
              {errorLine(t, dataset.error)}
            </div>
          )}
        </div>
      ),
    },
    {
      title: t('general.status'),
      key: 'status',
      width: 160,
      render: (_, { status, progress }) => (
        <>
          <DatasetStatusTag status={status} />
          {status === 'importing' && progress !== null && (
            <Progress
              percent={Math.round(progress * 100)}
              size="small"
              showInfo={false}
              aria-label={t('status.dataset.importing')}
            />
          )}
        </>
      ),
    },
    {
      title: t('datasets.recordType'),
      key: 'type',
      responsive: ['md'],
      render: (_, { record_type: type }) => type && t(`datasets.recordTypes.${type}`),
    },
    {
      title: t('datasets.rows'),
      key: 'rows',
      align: 'end',
      className: 'numeric',
      render: (_, { num_rows: rows }) => format.number(rows),
    },
    {
      title: t('general.size'),
      key: 'size',
      align: 'end',
      responsive: ['md'],
      render: (_, { size_bytes: size }) => <Bytes value={size} />,
    },
    {
      title: t('general.created'),
      key: 'created',
      responsive: ['lg'],
      render: (_, { created_at: at }) => <RelativeTime at={at} />,
    },
    {
      title: <span className="visually-hidden">{t('general.actions')}</span>,
      key: 'actions',
      align: 'end',
      width: 120,
      render: (_, dataset) => (
        <Flex gap={4} justify="end">
          {dataset.status === 'ready' && (
            <LinkButton
              size="small"
              type="text"
              to={withQuery(paths.newTask, { dataset: dataset.id })}
              aria-label={`${t('datasets.train')}: ${dataset.name}`}
            >
              {t('datasets.trainShort')}
            </LinkButton>
          )}
          <Tooltip title={t('general.delete')}>
            <Button
              type="text"
              size="small"
              icon={<DeleteOutlined />}
              aria-label={`${t('general.delete')}: ${dataset.name}`}
              onClick={() => remove(dataset)}
            />
          </Tooltip>
        </Flex>
      ),
    },
  ]
  return (
    <Table<Dataset>
      rowKey="id"
      size="small"
      columns={columns}
      dataSource={items}
      pagination={false}
      scroll={{ x: 640 }}
      locale={{ emptyText: <span className="secondary">{t('general.noMatch')}</span> }}
    />
  )
}
