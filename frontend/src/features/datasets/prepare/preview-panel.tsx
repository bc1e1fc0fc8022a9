/** What the steps would make, in figures: rows left, parts, and how much of it was tried. */
import { LoadingOutlined } from '@ant-design/icons'
import { Flex } from 'antd'
import { useTranslation } from 'react-i18next'
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
    <div aria-busy={busy}>
      <p className="numeric rows-left" role="status">
        <strong>{format.number(last?.rows_out ?? data.num_rows)}</strong>{' '}
        {t('datasets.prepare.ofRows', { n: format.number(data.num_rows) })}
        {last && !last.exact && ` ${t('datasets.prepare.estimated')}`} {busy && <LoadingOutlined aria-hidden />}
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
    </div>
  )
}
