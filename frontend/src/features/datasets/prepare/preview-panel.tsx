/** What the steps would make: rows left after each, parts, the first rows, and those that go. */
import { LoadingOutlined } from '@ant-design/icons'
import { Flex, Segmented } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { PreparedRows } from './prepared-rows'
import { refusedStep } from './request'
import type { Outlook } from './use-preview'
import { ErrorPanel } from '@/components/error-panel'
import { useFormat } from '@/i18n/format'

interface Props {
  outlook: Outlook
  /** Steps in the list, and how many of them lack something. */
  steps: number
}

export function PreviewPanel({ outlook, steps }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data, error, busy, retry, tried } = outlook
  const [shown, setShown] = useState<'items' | 'removed'>('items')
  if (error) {
    // A refusal of one step stands at that step.
    if (refusedStep(error) !== null) return <p className="secondary">{t('datasets.prepare.refused')}</p>
    return <ErrorPanel error={error} onRetry={retry} />
  }
  if (!data) {
    return busy ? (
      <p className="secondary" role="status">
        <LoadingOutlined aria-hidden /> {t('datasets.prepare.trying')}
      </p>
    ) : (
      <p className="secondary">{t(steps > 0 ? 'datasets.prepare.complete' : 'datasets.prepare.addFirst')}</p>
    )
  }
  const last = data.steps.at(-1)
  const parts = Object.entries(data.splits)
  return (
    <div aria-busy={busy} style={{ opacity: busy ? 0.6 : 1 }}>
      <p className="numeric rows-left" role="status">
        <strong>{format.number(last?.rows_out ?? data.num_rows)}</strong>{' '}
        {t('datasets.prepare.ofRows', { n: format.number(data.num_rows) })}
        {last && !last.exact && ` ${t('datasets.prepare.estimated')}`}
      </p>
      {!data.exact && (
        <p className="secondary">{t('datasets.prepare.triedOn', { n: format.number(data.tried_rows) })}</p>
      )}
      {tried < steps && <p className="step-lack">{t('datasets.prepare.triedSteps', { count: tried })}</p>}
      {parts.length > 0 && (
        <Flex gap={12} wrap className="numeric">
          {parts.map(([name, rows]) => (
            <span key={name}>
              {name} <strong>{format.number(rows)}</strong>
            </span>
          ))}
        </Flex>
      )}
      <Segmented
        value={shown}
        onChange={setShown}
        aria-label={t('datasets.prepare.which')}
        options={[
          { value: 'items', label: t('datasets.prepare.firstRows') },
          { value: 'removed', label: t('datasets.prepare.removedRows') },
        ]}
        style={{ margin: '8px 0' }}
      />
      <PreparedRows preview={data} shown={shown} />
    </div>
  )
}
