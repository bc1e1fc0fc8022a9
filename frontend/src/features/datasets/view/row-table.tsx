/** Rows as a table; long texts are cut in the cell and unfold on a click on the row. */
import { Table, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { cellText, columnsOf, withoutNotes } from './record-text'
import type { Schemas } from '@/api/client'

type Row = Schemas['DatasetRow']

export function RowTable({ rows }: { rows: Row[] }) {
  const { t } = useTranslation()
  const fields = columnsOf(rows.map((row) => withoutNotes(row.record)))
  const columns: TableColumnsType<Row> = [
    {
      title: t('datasets.view.number'),
      key: 'index',
      width: 72,
      align: 'end',
      className: 'numeric secondary',
      render: (_, row) => row.index + 1,
    },
    ...fields.map((name) => ({
      title: name,
      key: `field:${name}`,
      render: (_: unknown, row: Row) => (
        <div className={fields.length > 1 ? 'cell-text cell-narrow' : 'cell-text'}>
          {cellText(row.record[name])}
        </div>
      ),
    })),
  ]
  return (
    <Table<Row>
      rowKey="index"
      size="small"
      bordered
      columns={columns}
      dataSource={rows}
      pagination={false}
      scroll={{ x: fields.length * 160 + 140 }}
      tableLayout="auto"
      expandable={{
        columnTitle: <span className="visually-hidden">{t('general.details')}</span>,
        expandedRowRender: (row) => (
          <dl className="record-fields">
            {Object.entries(withoutNotes(row.record)).map(([name, value]) => (
              <div key={name}>
                <dt className="secondary">{name}</dt>
                <dd>{cellText(value)}</dd>
              </div>
            ))}
          </dl>
        ),
      }}
    />
  )
}
