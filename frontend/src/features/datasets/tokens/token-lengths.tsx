/** How long the rows are in tokens of a model: figures, a histogram, rows over usual limits. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Flex, Progress, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Bars } from '../view/bars'
import { datasetLengthsQuery } from './api'
import { ModelChoice } from './model-choice'
import { useChosenModel } from './use-chosen-model'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useFormat } from '@/i18n/format'

interface Props {
  dataset: Schemas['Dataset']
  version?: number
}

export function TokenLengths({ dataset, version }: Props) {
  const { t } = useTranslation()
  const choice = useChosenModel(dataset)
  const query = choice.model && {
    model_id: choice.model.id,
    objective: choice.objective,
    ...(version && { version }),
  }
  const { data, error, refetch } = useQuery(datasetLengthsQuery(dataset, query ?? null))
  const title = t('datasets.tokens.lengths')
  return (
    <section aria-label={title}>
      <Typography.Title level={2}>{title}</Typography.Title>
      <Flex vertical gap={12}>
        <ModelChoice choice={choice} />
        {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
        {query && !data && !error && <DelayedSkeleton rows={4} />}
        {data && !error && <Counted lengths={data} onRetry={() => void refetch()} />}
      </Flex>
    </section>
  )
}

function Counted({ lengths, onRetry }: { lengths: Schemas['TokenLengths']; onRetry: () => void }) {
  const { t } = useTranslation()
  if (lengths.status === 'counting') {
    return (
      <div role="status" style={{ maxWidth: 480 }}>
        <span className="secondary">{t('datasets.tokens.counting')}</span>
        <Progress
          percent={Math.floor(lengths.progress * 100)}
          size="small"
          aria-label={t('datasets.tokens.counting')}
        />
      </div>
    )
  }
  if (lengths.status === 'failed') {
    return (
      <Alert
        type="error"
        showIcon
        title={t('datasets.tokens.notCounted')}
        description={lengths.error && `${lengths.error.message} ${lengths.error.hint}`}
        action={<Button onClick={onRetry}>{t('general.retry')}</Button>}
      />
    )
  }
  return <Figures lengths={lengths} />
}

function Figures({ lengths }: { lengths: Schemas['TokenLengths'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { counted_rows: counted, num_rows: rows, refused, reasons } = lengths
  const figures = (['mean', 'median', 'p95', 'p99', 'max'] as const).map(
    (name) => `${t(`datasets.tokens.figures.${name}`)} ${format.number(lengths[name])}`,
  )
  return (
    <>
      {counted < rows && (
        <p className="secondary">
          {t('datasets.tokens.sampled', { count: counted, of: format.number(rows) })}
        </p>
      )}
      <p className="numeric">{figures.join(' · ')}</p>
      {refused > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t('datasets.tokens.refusedRows', { count: refused })}
          description={reasons.map(({ reason, rows: n }) => (
            <div key={reason}>
              {reason} ({format.number(n)})
            </div>
          ))}
        />
      )}
      <Flex gap={32} wrap>
        <div style={{ flex: '1 1 320px', minWidth: 0 }}>
          <Bars
            label={t('datasets.tokens.lengths')}
            items={lengths.bins.map(({ low, high, count }) => ({
              name: `${format.number(low)} – ${format.number(high - 1)}`,
              count,
            }))}
          />
        </div>
        <table className="numeric" style={{ alignSelf: 'flex-start' }}>
          <tbody>
            {lengths.over.map(({ limit, rows: over }) => (
              <tr key={limit}>
                <th scope="row" className="secondary" style={{ fontWeight: 400, textAlign: 'start' }}>
                  {t('datasets.tokens.over', { limit: format.number(limit) })}
                </th>
                <td style={{ paddingInlineStart: 16, textAlign: 'end' }}>{format.number(over)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Flex>
    </>
  )
}
