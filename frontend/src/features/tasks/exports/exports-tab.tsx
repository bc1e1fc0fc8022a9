/** The result in other formats: what was made, how true it is to what was trained, to fetch. */
import { DeleteOutlined, DownloadOutlined, ExportOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Progress, Table, Typography, type TableColumnsType } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Task } from '../api'
import { deleteExport, downloadUrl, exportsQuery, isUnderWay, type Export } from './api'
import { ExportDialog } from './export-dialog'
import { originalWords, translateCode, translateHint } from '@/api/errors'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { Bytes } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { JobStatusTag } from '@/components/status-tag'
import { useConfirmDelete } from '@/components/use-confirm-delete'
import { useFormat } from '@/i18n/format'

/** Some codes mean another thing here than in a training; the server's own words tell more. */
function Failure({ error }: { error: NonNullable<Export['error']> }) {
  const { t, i18n } = useTranslation()
  const known = i18n.exists(`exports.failures.${error.code}`)
  const original = originalWords(`${error.message} ${error.hint}`)
  const hint = known ? t(`exports.hints.${error.code}`) : translateHint(t, error)
  return (
    <Flex vertical style={{ maxWidth: 420 }}>
      <span>{known ? t(`exports.failures.${error.code}`) : translateCode(t, error)}</span>
      <Typography.Text type="secondary">
        {known && original === null ? `${error.message} ${error.hint}` : hint}
      </Typography.Text>
      {original && (
        <Typography.Text type="secondary">{t('errors.original', { message: original })}</Typography.Text>
      )}
    </Flex>
  )
}

function State({ item }: { item: Export }) {
  const { t } = useTranslation()
  return (
    <Flex vertical>
      <JobStatusTag status={item.status} />
      {isUnderWay(item) && item.status !== 'PENDING' && (
        <Progress size="small" percent={Math.round(item.progress * 100)} aria-label={t('tasks.columns.progress')} />
      )}
      {item.error && <Failure error={item.error} />}
    </Flex>
  )
}

/** What the likeliest of a position is depends on what the model ends in. */
const AGREEMENTS: Partial<Record<Task['objective'], 'agreementOfLabels' | 'agreementOfScores'>> = {
  classify: 'agreementOfLabels',
  reward: 'agreementOfScores',
}

function Checks({ checks, objective }: { checks: Export['checks']; objective: Task['objective'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  if (!checks) return <>–</>
  return (
    <Flex vertical>
      <span>
        {t(`exports.${AGREEMENTS[objective] ?? 'agreement'}`, {
          share: format.percent(checks.top1_agreement, 1),
          positions: format.number(checks.positions),
        })}
      </span>
      <Typography.Text type="secondary">
        {t('exports.difference', {
          share: format.percent(checks.relative_error, 2),
          limit: format.percent(checks.limit),
        })}
      </Typography.Text>
    </Flex>
  )
}

function useColumns({ id: taskId, objective }: Task): TableColumnsType<Export> {
  const { t } = useTranslation()
  const client = useQueryClient()
  const confirmDelete = useConfirmDelete()
  const remove = (item: Export) =>
    confirmDelete({
      what: t('exports.one'),
      name: item.filename,
      consequences: t(isUnderWay(item) ? 'exports.deleteStops' : 'exports.deleteConsequences'),
      onConfirm: async () => {
        await deleteExport(taskId, item.id)
        await client.invalidateQueries({ queryKey: exportsQuery(taskId).queryKey })
      },
    })
  return [
    { title: t('exports.format'), dataIndex: 'format', render: (format: Export['format']) => t(`exports.formats.${format}`) },
    { title: t('general.status'), render: (_, item) => <State item={item} /> },
    { title: t('general.size'), dataIndex: 'size_bytes', render: (value: number | null) => <Bytes value={value} /> },
    { title: t('exports.checked'), dataIndex: 'checks', render: (checks: Export['checks']) => <Checks checks={checks} objective={objective} /> },
    { title: t('general.created'), dataIndex: 'created_at', render: (at: string) => <RelativeTime at={at} /> },
    {
      title: '',
      align: 'end',
      render: (_, item) => (
        <Flex gap={8} justify="end">
          {item.status === 'COMPLETED' && (
            <Button icon={<DownloadOutlined />} href={downloadUrl(item)} download={item.filename}>
              {t('exports.download')}
            </Button>
          )}
          <Button
            icon={<DeleteOutlined />}
            aria-label={t('exports.delete', { name: item.filename })}
            onClick={() => remove(item)}
          />
        </Flex>
      ),
    },
  ]
}

export function ExportsTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const [asking, setAsking] = useState(false)
  const { data, error, refetch } = useQuery({ ...exportsQuery(task.id), enabled: task.has_artifact })
  const columns = useColumns(task)
  if (!task.has_artifact) return <EmptyState title={t('exports.tooEarly')} />
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton />
  const button = (
    <Button type="primary" icon={<ExportOutlined />} onClick={() => setAsking(true)}>
      {t('exports.open')}
    </Button>
  )
  return (
    <Flex vertical gap={12}>
      {data.items.length === 0 ? (
        <EmptyState title={t('exports.none')} detail={t('exports.noneDetail')} actions={button} />
      ) : (
        <>
          <Flex justify="end">{button}</Flex>
          <Table
            size="small"
            rowKey="id"
            dataSource={data.items}
            pagination={{ hideOnSinglePage: true }}
            scroll={{ x: 'max-content' }}
            columns={columns}
          />
        </>
      )}
      {asking && <ExportDialog task={task} onClose={() => setAsking(false)} />}
    </Flex>
  )
}
