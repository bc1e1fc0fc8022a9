/** Rows that were not simply kept: where, what, why, what was done, how it looked. */
import { Table, Tag, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link, useSearchParams } from 'react-router'
import { ruleName } from './rule-name'
import type { Schemas } from '@/api/client'
import { originalWords } from '@/api/errors'
import { useFormat } from '@/i18n/format'

type Item = Schemas['ReportItem']

interface Props {
  report: Schemas['DatasetReport']
  page: number
  pageSize: number
  onPage: (page: number) => void
}

/** The address of the row that comes from a line, in the version that is looked at. */
function rowSearch(search: URLSearchParams, line: number): string {
  const version = search.get('version')
  const wanted = new URLSearchParams({ tab: 'preview', line: String(line) })
  if (version) wanted.set('version', version)
  return wanted.toString()
}

export function ReportTable({ report, page, pageSize, onPage }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const [search] = useSearchParams()
  const columns: TableColumnsType<Item> = [
    {
      title: t('datasets.report.line'),
      dataIndex: 'line',
      align: 'end',
      className: 'numeric',
      // A repaired row is there to be looked at; of a dropped one there is only the excerpt.
      render: (line: number, { action }) =>
        action === 'repaired' ? (
          <Link to={`?${rowSearch(search, line)}`}>{format.number(line)}</Link>
        ) : (
          format.number(line)
        ),
    },
    {
      title: t('datasets.report.offset'),
      dataIndex: 'byte_offset',
      align: 'end',
      className: 'numeric',
      responsive: ['lg'],
      render: (offset: number | null) => format.number(offset),
    },
    {
      title: t('datasets.report.field'),
      dataIndex: 'field',
      render: (field: string | null) => field && <span className="mono">{field}</span>,
    },
    {
      title: t('datasets.report.rule'),
      key: 'rule',
      render: (_, { rule, message }) => (
        <>
          {ruleName(t, rule)}
          {/* The server's sentence says which turn, cell or character; it speaks English only. */}
          {originalWords(message) === null && <div className="cell-detail">{message}</div>}
        </>
      ),
    },
    {
      title: t('datasets.report.action'),
      dataIndex: 'action',
      render: (action: Item['action']) => (
        <Tag color={action === 'dropped' ? 'error' : 'warning'}>
          {t(`datasets.report.${action}`)}
        </Tag>
      ),
    },
    {
      title: t('datasets.report.excerpt'),
      dataIndex: 'excerpt',
      render: (excerpt: string) => <div className="cell-text mono">{excerpt}</div>,
    },
  ]
  return (
    <Table<Item>
      rowKey={(item) => `${item.line}:${item.byte_offset}:${item.field}:${item.rule}`}
      size="small"
      columns={columns}
      dataSource={report.items}
      scroll={{ x: 640 }}
      pagination={{
        current: page,
        pageSize,
        total: report.total_items,
        onChange: onPage,
        showSizeChanger: false,
        hideOnSinglePage: true,
        size: 'small',
      }}
    />
  )
}
