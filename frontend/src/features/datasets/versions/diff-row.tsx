/** One row that differs: both states side by side with the changed words marked, or the one there is. */
import { useTranslation } from 'react-i18next'
import { changedFields } from './diff-fields'
import { RecordReading } from '../view/record-reading'
import type { Schemas } from '@/api/client'
import type { Piece } from '@/components/differences'

interface Props {
  item: Schemas['DiffItem']
  version: number
  against: number
  types: { before: string | null; after: string | null }
}

export function DiffRow({ item, version, against, types }: Props) {
  const { t } = useTranslation()
  const { before, after } = item
  const record = after ?? before ?? {}
  const line = lineOf(record)
  return (
    <li className="diff-row">
      {line !== null && (
        <div className="secondary record-head numeric">{t('datasets.view.line', { line })}</div>
      )}
      {before && after ? (
        changedFields(before, after).map((field) => (
          <div key={field.name}>
            <div className="secondary mono">{field.name}</div>
            <div className="diff-sides">
              <Side title={t('datasets.versions.number', { version: against })} pieces={field.before} />
              <Side title={t('datasets.versions.number', { version })} pieces={field.after} />
            </div>
          </div>
        ))
      ) : (
        <RecordReading record={record} recordType={after ? types.after : types.before} />
      )}
    </li>
  )
}

function lineOf(record: Record<string, unknown>): number | null {
  const { meta } = record as { meta?: { line?: unknown } }
  return typeof meta?.line === 'number' ? meta.line : null
}

function Side({ title, pieces }: { title: string; pieces: Piece[] }) {
  const { t } = useTranslation()
  return (
    <div className="diff-side">
      <div className="secondary record-head">{title}</div>
      <div className="diff-text">
        {pieces.length === 0 && <span className="secondary">{t('general.none')}</span>}
        {pieces.map(({ text, own }, n) => (own ? <mark key={n}>{text}</mark> : text))}
      </div>
    </div>
  )
}
