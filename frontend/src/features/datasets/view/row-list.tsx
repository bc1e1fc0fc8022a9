/** Rows below each other, each as a person reads it or as JSON. */
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { RecordJson } from './record-json'
import { RecordReading } from './record-reading'
import type { Row, View } from './rows-state'
import { ROW_LINK } from '@/components/use-list-keys'

interface Props {
  rows: Row[]
  view: View
  recordType: string | null
  query: string
  onOpen: (place: number) => void
}

export function RowList({ rows, view, recordType, query, onOpen }: Props) {
  const { t } = useTranslation()
  return (
    <ol className="record-list">
      {rows.map((row, place) => (
        <li key={row.index} className="record">
          <div className="record-head secondary numeric">
            <Button type="link" size="small" {...{ [ROW_LINK]: row.index }} onClick={() => onOpen(place)}>
              {t('datasets.view.row', { number: row.index + 1 })}
            </Button>
            {row.line !== null && t('datasets.view.line', { line: row.line })}
          </div>
          {view === 'raw' ? (
            <RecordJson record={row.record} query={query} />
          ) : (
            <RecordReading record={row.record} recordType={recordType} query={query} />
          )}
        </li>
      ))}
    </ol>
  )
}
