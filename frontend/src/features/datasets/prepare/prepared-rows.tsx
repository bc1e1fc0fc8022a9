/** The first rows of the result, with what has changed in them; or the first that are no longer there. */
import { Segmented, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Preview } from './api'
import { changedFields } from '../versions/diff-fields'
import { RecordReading } from '../view/record-reading'
import type { Schemas } from '@/api/client'

interface Props {
  preview: Preview
  shown: 'items' | 'removed'
}

export function PreparedRows({ preview }: { preview: Preview }) {
  const { t } = useTranslation()
  const [shown, setShown] = useState<Props['shown']>('items')
  return (
    <section className="prepared-part">
      <Segmented
        value={shown}
        onChange={setShown}
        aria-label={t('datasets.prepare.which')}
        options={[
          { value: 'items', label: t('datasets.prepare.firstRows') },
          { value: 'removed', label: t('datasets.prepare.removedRows') },
        ]}
        style={{ marginBottom: 8 }}
      />
      <Rows preview={preview} shown={shown} />
    </section>
  )
}

function Rows({ preview, shown }: Props) {
  const { t } = useTranslation()
  const type = preview.steps.at(-1)?.record_type ?? null
  const before = preview.steps[0]
  if (shown === 'removed') {
    if (preview.removed.length === 0) return <p className="secondary">{t('datasets.prepare.noneRemoved')}</p>
    return (
      <ol className="prepared">
        {preview.removed.map((row) => (
          <li key={row.index} className="record">
            <div className="record-head secondary numeric">{t('datasets.view.row', { number: row.index + 1 })}</div>
            {/* What a change would make of its kind does not matter to a row that goes. */}
            <RecordReading record={row.record} recordType={before?.record_type ?? type} />
          </li>
        ))}
      </ol>
    )
  }
  if (preview.items.length === 0) return <p className="secondary">{t('datasets.prepare.noneLeft')}</p>
  return (
    <ol className="prepared">
      {preview.items.map((row) => (
        <li key={row.index} className="record">
          <div className="record-head secondary numeric">
            {row.origin === null
              ? t('datasets.prepare.fromElsewhere')
              : t('datasets.view.row', { number: row.origin + 1 })}{' '}
            {row.split && <Tag>{row.split}</Tag>}
          </div>
          <Prepared row={row} recordType={type} />
        </li>
      ))}
    </ol>
  )
}

function Prepared({ row, recordType }: { row: Schemas['PreparedRow']; recordType: string | null }) {
  const { t } = useTranslation()
  const changes = row.before ? changedFields(row.before, row.after) : []
  if (changes.length === 0) return <RecordReading record={row.after} recordType={recordType} />
  return (
    <>
      <RecordReading record={row.after} recordType={recordType} />
      <details className="prepared-changes">
        <summary>{t('datasets.prepare.changed')}</summary>
        {changes.map(({ name, before, after }) => (
          <div key={name}>
            <div className="secondary mono">{name}</div>
            <del className="diff-text">{before.map(({ text, own }, n) => (own ? <mark key={n}>{text}</mark> : text))}</del>
            <ins className="diff-text">{after.map(({ text, own }, n) => (own ? <mark key={n}>{text}</mark> : text))}</ins>
          </div>
        ))}
      </details>
    </>
  )
}
