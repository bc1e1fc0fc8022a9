/** The models that are here: state, size, what each can be trained for. */
import { DeleteOutlined, ReloadOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Progress, Table, Tooltip, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { retryModel } from './api'
import { ModelDetails } from './model-details'
import { modelErrorHint, modelErrorLine } from './reason-text'
import { TrustButton } from './trust-button'
import { useDeleteModel } from './use-delete-model'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { Bytes } from '@/components/quantities'
import { ModelStatusTag } from '@/components/status-tag'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

type Model = Schemas['Model']

export function ModelTable({ items }: { items: Model[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const columns: TableColumnsType<Model> = [
    {
      title: t('general.name'),
      key: 'name',
      render: (_, model) => (
        <div style={{ minWidth: 240, maxWidth: 420 }}>
          <span style={{ overflowWrap: 'anywhere' }}>{model.name}</span>
          <div className="secondary" style={{ fontSize: 12 }}>
            {model.error
              ? `${modelErrorLine(t, model.error)} ${modelErrorHint(t, model.error)}`
              : t(`models.sources.${model.source}`)}
          </div>
        </div>
      ),
    },
    {
      title: t('general.status'),
      key: 'status',
      width: 160,
      render: (_, { status, progress }) => (
        <>
          <ModelStatusTag status={status} />
          {progress !== null && status !== 'ready' && status !== 'failed' && (
            <Progress
              percent={Math.round(progress * 100)}
              size="small"
              aria-label={t(`status.model.${status}`)}
            />
          )}
        </>
      ),
    },
    {
      title: <span className="nowrap">{t('models.numParameters')}</span>,
      key: 'parameters',
      align: 'end',
      className: 'numeric',
      render: (_, { num_parameters: count }) => format.parameters(count),
    },
    {
      title: <span className="nowrap">{t('models.contextLength')}</span>,
      key: 'context',
      align: 'end',
      className: 'numeric',
      responsive: ['md'],
      render: (_, { context_length: tokens }) => format.number(tokens),
    },
    {
      title: <span className="nowrap">{t('models.onDisk')}</span>,
      key: 'size',
      align: 'end',
      responsive: ['md'],
      render: (_, { size_bytes: size }) => <Bytes value={size} />,
    },
    {
      title: <span className="nowrap">{t('models.canLearn')}</span>,
      key: 'methods',
      responsive: ['lg'],
      render: (_, { methods }) => (
        <span className="nowrap">
          {methods.map((each) => t(`models.methods.${each}`)).join(', ')}
        </span>
      ),
    },
    {
      title: <span className="visually-hidden">{t('general.actions')}</span>,
      key: 'actions',
      align: 'end',
      width: 140,
      render: (_, model) => <RowActions model={model} />,
    },
  ]
  return (
    <Table<Model>
      rowKey="id"
      size="small"
      columns={columns}
      dataSource={items}
      pagination={false}
      scroll={{ x: 720 }}
      locale={{ emptyText: <span className="secondary">{t('general.noMatch')}</span> }}
      expandable={{
        columnTitle: <span className="visually-hidden">{t('general.details')}</span>,
        expandedRowRender: (model) => <ModelDetails model={model} />,
      }}
    />
  )
}

function RowActions({ model }: { model: Model }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const remove = useDeleteModel()
  const retry = useMutation({
    mutationFn: () => retryModel(model.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
    onError: useShowError(),
  })
  return (
    <Flex gap={4} justify="end">
      {model.status === 'ready' && model.methods.length > 0 && (
        <LinkButton
          size="small"
          type="text"
          to={withQuery(paths.newTask, { model: model.id })}
          aria-label={`${t('models.train')}: ${model.name}`}
        >
          {t('models.trainShort')}
        </LinkButton>
      )}
      <TrustButton model={model} />
      {/* Trying again would not make its program another one. */}
      {model.status === 'failed' && !model.program && (
        <Button
          size="small"
          icon={<ReloadOutlined />}
          loading={retry.isPending}
          onClick={() => retry.mutate()}
          aria-label={`${t('general.retry')}: ${model.name}`}
        >
          {t('general.retry')}
        </Button>
      )}
      <Tooltip title={t('general.delete')}>
        <Button
          type="text"
          size="small"
          icon={<DeleteOutlined />}
          aria-label={`${t('general.delete')}: ${model.name}`}
          onClick={() => remove(model)}
        />
      </Tooltip>
    </Flex>
  )
}
