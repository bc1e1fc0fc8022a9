/** The fields of the file: types, gaps, lengths; and the balance of labels, turns, lengths. */
import { useQuery } from '@tanstack/react-query'
import { Flex, Table, Typography, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { datasetStatisticsQuery } from '../api'
import { TokenLengths } from '../tokens/token-lengths'
import { balanceHint, type BalanceHint } from './balance'
import { Bars } from './bars'

import { KNOWN_ROLES } from './conversation'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useFormat } from '@/i18n/format'
import './view.css'
import './rows.css'

type Field = Schemas['FieldSummary']

export function FieldsTab({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { data, error, refetch } = useQuery(datasetStatisticsQuery(dataset))
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton rows={6} />
  return (
    <Flex vertical gap={24}>
      {data.fields.length > 0 && <FieldTable fields={data.fields} rows={dataset.num_rows} />}
      <Distributions statistics={data} />
      {dataset.objectives.length > 0 && <TokenLengths dataset={dataset} version={dataset.version} />}
    </Flex>
  )
}

function FieldTable({ fields, rows }: { fields: Field[]; rows: number | null }) {
  const { t } = useTranslation()
  const format = useFormat()
  const typeName = (type: string) =>
    t(`datasets.rowView.typeNames.${type}` as 'datasets.fields.types', { defaultValue: type })
  const columns: TableColumnsType<Field> = [
    {
      title: t('datasets.fields.name'),
      dataIndex: 'name',
      render: (name: string) => <span className="mono">{name}</span>,
    },
    {
      title: t('datasets.fields.types'),
      key: 'types',
      render: (_, { types }) =>
        Object.entries(types)
          .map(([type, rows]) =>
            Object.keys(types).length > 1
              ? `${typeName(type)} (${format.number(rows)})`
              : typeName(type),
          )
          .join(', '),
    },
    {
      title: t('datasets.fields.missing'),
      dataIndex: 'missing',
      align: 'end',
      className: 'numeric nowrap',
      render: (missing: number) => (
        <>
          {format.number(missing)}
          {missing > 0 && rows ? (
            <span className="secondary"> {format.percent(missing / rows)}</span>
          ) : null}
        </>
      ),
    },
    {
      title: t('datasets.fields.length'),
      key: 'length',
      align: 'end',
      className: 'numeric nowrap',
      render: (_, { min_length: min, mean_length: mean, max_length: max }) =>
        min === null
          ? '–'
          : [format.number(min), format.number(mean), format.number(max)].join(' / '),
    },
    {
      title: t('datasets.fields.examples'),
      key: 'examples',
      render: (_, { examples }) => <div className="cell-text secondary">{examples.join(' · ') || '–'}</div>,
    },
  ]
  return (
    <Table<Field>
      rowKey="name"
      size="small"
      columns={columns}
      dataSource={fields}
      pagination={false}
      scroll={{ x: 640 }}
    />
  )
}

function Distributions({ statistics }: { statistics: Schemas['DatasetStatistics'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { labels, num_turns: turns, roles, lengths, characters } = statistics
  const groups: { title: string; items: { name: string; count: number }[]; hint?: BalanceHint | null }[] = [
    {
      title: t('datasets.fields.labels'),
      items: labels.map(({ label, count }) => ({ name: label, count })),
      hint: balanceHint(labels),
    },
    {
      title: t('datasets.fields.turns'),
      items: Object.entries(turns)
        .map(([name, count]) => ({ name, count }))
        .sort((a, b) => Number(a.name) - Number(b.name)),
    },
    {
      title: t('datasets.fields.roles'),
      items: Object.entries(roles).map(([role, count]) => {
        const known = KNOWN_ROLES.find((each) => each === role)
        return { name: known ? t(`datasets.roles.${known}`) : role, count }
      }),
    },
    {
      title: t('datasets.fields.lengths', { total: format.number(characters) }),
      items: lengths.map(({ low, high, count }) => ({
        name: `${format.number(low)} – ${format.number(high)}`,
        count,
      })),
    },
  ].filter(({ items }) => items.length > 0)
  return (
    <Flex gap={32} wrap>
      {groups.map(({ title, items, hint }) => (
        <section key={title} style={{ flex: '1 1 320px', minWidth: 0 }}>
          <Typography.Title level={2}>{title}</Typography.Title>
          {hint && (
            <p className="balance-hint">
              {t('datasets.rowView.imbalance', {
                most: hint.most,
                least: hint.least,
                times: format.number(hint.times),
              })}
            </p>
          )}
          <Bars label={title} items={items} />
        </section>
      ))}
    </Flex>
  )
}
