/** One record as a person reads it: conversation, both answers side by side, text, label. */
import { CheckOutlined, CloseOutlined } from '@ant-design/icons'
import { Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { Conversation } from './conversation'
import { CutText } from './cut-text'
import { readingOf } from './reading'
import { asText, cellText, withoutNotes, type Turn } from './record-text'
import { ToolList } from './tool-call'

interface Props {
  record: Record<string, unknown>
  recordType: string | null
  query?: string | undefined
}

export function RecordReading({ record, recordType, query }: Props) {
  const reading = readingOf(record, recordType)
  if (!reading) return <RecordFields record={record} query={query} />
  const { turns, chosen, rejected, text, label, verdicts, tools } = reading
  return (
    <div className="reading">
      <ToolList tools={tools} />
      {turns.length > 0 && <Conversation turns={turns} query={query} verdicts={verdicts} />}
      {(chosen || rejected) && (
        <div className="answers">
          <Answer kind="chosen" turns={chosen ?? []} query={query} />
          <Answer kind="rejected" turns={rejected ?? []} query={query} />
        </div>
      )}
      {text !== null && (
        <div className="reading-text">
          <CutText text={text} query={query} />
        </div>
      )}
      {label !== null && <Label label={label} />}
    </div>
  )
}

interface AnswerProps {
  kind: 'chosen' | 'rejected'
  turns: Turn[]
  query?: string | undefined
}

function Answer({ kind, turns, query }: AnswerProps) {
  const { t } = useTranslation()
  return (
    <section className="answer" data-kind={kind}>
      <h3 className="plain-heading answer-head">
        {kind === 'chosen' ? <CheckOutlined aria-hidden /> : <CloseOutlined aria-hidden />}{' '}
        {t(`datasets.rowView.${kind}`)}
      </h3>
      {turns.map(({ content, role, calls = [] }, index) => (
        <div key={index} className="reading-text">
          {turns.length > 1 && <span className="secondary">{`${role}: `}</span>}
          <CutText text={content || calls.map(({ name }) => `${name}()`).join('\n')} query={query} />
        </div>
      ))}
    </section>
  )
}

function Label({ label }: { label: unknown }) {
  const { t } = useTranslation()
  const labels = Array.isArray(label) ? label : [label]
  return (
    <div>
      <span className="secondary">{t('datasets.rowView.label')}</span>{' '}
      {labels.map((each, index) =>
        typeof each === 'boolean' ? (
          <Tag key={index} color={each ? 'success' : 'error'}>
            {t(each ? 'datasets.rowView.good' : 'datasets.rowView.bad')}
          </Tag>
        ) : (
          <Tag key={index}>{asText(each)}</Tag>
        ),
      )}
    </div>
  )
}

/** Field by field: for rows whose columns nobody has named yet. */
export function RecordFields({ record, query }: Pick<Props, 'record' | 'query'>) {
  return (
    <dl className="record-fields">
      {Object.entries(withoutNotes(record)).map(([name, value]) => (
        <div key={name}>
          <dt className="secondary">{name}</dt>
          <dd>
            <CutText text={cellText(value)} query={query} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
