/** Rows as a table: long texts are cut in the cell, the whole row opens beside it. */
import { Button, Table, type TableColumnsType } from 'antd'
import type { MouseEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Marked } from './cut-text'
import { excerptOf } from './highlight'
import { cellText, columnsOf, withoutNotes } from './record-text'
import type { Row } from './rows-state'
import { ROW_LINK } from '@/components/use-list-keys'
import { useFormat } from '@/i18n/format'

interface Props {
  rows: Row[]
  query: string
  /** Opens the row at this place of the page, counted from 0. */
  onOpen: (place: number) => void
}

const CELL = 400

/** A click on a row opens it; one that selects text or presses something in the row does not. */
function isMeant({ target }: MouseEvent): boolean {
  const pressed = target instanceof Element && target.closest('a, button, input')
  return !pressed && !window.getSelection()?.toString()
}

function Cell({ text, query, narrow }: { text: string; query: string; narrow: boolean }) {
  const cut = excerptOf(text, query, CELL)
  return (
    <div className={narrow ? 'cell-text cell-narrow' : 'cell-text'}>
      {cut.before && '…'}
      <Marked text={cut.text} query={query} />
      {cut.after && '…'}
    </div>
  )
}

export function RowTable({ rows, query, onOpen }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const fields = columnsOf(rows.map((row) => withoutNotes(row.record)))
  const columns: TableColumnsType<Row> = [
    {
      title: t('datasets.view.number'),
      key: 'index',
      width: 80,
      align: 'end',
      render: (_, row, place) => (
        <Button
          type="link"
          size="small"
          className="numeric"
          {...{ [ROW_LINK]: row.index }}
          aria-label={t('datasets.view.row', { number: row.index + 1 })}
          onClick={() => onOpen(place)}
        >
          {format.number(row.index + 1)}
        </Button>
      ),
    },
    ...fields.map((name) => ({
      title: name,
      key: `field:${name}`,
      render: (_: unknown, row: Row) => (
        <Cell text={cellText(row.record[name])} query={query} narrow={fields.length > 1} />
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
      rowClassName="row-opens"
      onRow={(_, place = 0) => ({ onClick: (event) => isMeant(event) && onOpen(place) })}
    />
  )
}
