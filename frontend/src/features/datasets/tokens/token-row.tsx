/** A row as the model sees it: its samples, their counts, and what became of what is too long. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Button } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { datasetTokensQuery } from './api'
import { TokenText } from './token-text'
import type { Schemas } from '@/api/client'
import { ErrorPanel } from '@/components/error-panel'

export interface Asked {
  dataset: Schemas['Dataset']
  query: Parameters<typeof datasetTokensQuery>[1] & object
  readsWhole: boolean
}

const ALL_TOKENS = 20_000

export function TokenRow({ row: first, asked }: { row: Schemas['TokenRow']; asked: Asked }) {
  const { t } = useTranslation()
  const [all, setAll] = useState(false)
  const query = { ...asked.query, q: undefined, offset: first.index, limit: 1, max_shown: ALL_TOKENS }
  const whole = useQuery(datasetTokensQuery(asked.dataset, all ? query : null))
  const row = (all && !whole.isPlaceholderData && whole.data?.items[0]) || first
  const more = listed(first) && !(all && whole.data)
  return (
    <li className="record">
      <div className="record-head secondary numeric">
        {t('datasets.view.row', { number: row.index + 1 })}
        {row.line !== null && ` · ${t('datasets.view.line', { line: row.line })}`}
      </div>
      {row.error && (
        <Alert
          type="warning"
          showIcon
          title={t('datasets.tokens.refused')}
          description={`${row.error.message} ${row.error.hint}`}
        />
      )}
      {row.samples.map((sample, index) => (
        <section key={index} className="token-sample">
          <SampleHead sample={sample} number={index + 1} of={row} readsWhole={asked.readsWhole} />
          <TokenText sample={sample} />
          <Cuts sample={sample} />
        </section>
      ))}
      {whole.error && <ErrorPanel error={whole.error} onRetry={() => void whole.refetch()} />}
      {more && (
        <Button size="small" loading={whole.isFetching} onClick={() => setAll(true)}>
          {t('datasets.tokens.showMore')}
        </Button>
      )}
    </li>
  )
}

/** Whether something of the row is not listed. */
const listed = ({ samples, num_samples: count }: Schemas['TokenRow']) =>
  samples.length < count ||
  samples.some(
    (each) => each.tokens.length < each.num_tokens || each.cut.length < each.num_cut,
  )

interface HeadProps {
  sample: Schemas['RenderedSample']
  number: number
  of: Schemas['TokenRow']
  readsWhole: boolean
}

function SampleHead({ sample, number, of, readsWhole }: HeadProps) {
  const { t } = useTranslation()
  const several = of.num_samples > 1 && sample.part === 'text'
  return (
    <div className="token-counts secondary numeric">
      {sample.part !== 'text' && <b>{t(`datasets.tokens.parts.${sample.part}`)} </b>}
      {several && <b>{t('datasets.tokens.sample', { number, of: of.num_samples })} </b>}
      {t('datasets.tokens.count', { count: sample.num_tokens })}
      {!readsWhole && ` · ${t('datasets.tokens.learnt', { count: sample.num_trained })}`}
    </div>
  )
}

function Cuts({ sample }: { sample: Schemas['RenderedSample'] }) {
  const { t } = useTranslation()
  const { tokens, num_tokens: count, truncated, num_cut: cut } = sample
  return (
    <>
      {truncated && (
        <p className="token-note">{t('datasets.tokens.wasCut', { count: cut, at: sample.cut_at })}</p>
      )}
      {tokens.length < count && (
        <p className="token-note secondary">
          {t('datasets.tokens.listed', { count: tokens.length, of: count })}
        </p>
      )}
    </>
  )
}
