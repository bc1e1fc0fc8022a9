/** What a model will see of the rows: the tokens of a run, with those that are learnt marked. */
import { useQuery } from '@tanstack/react-query'
import { Flex, InputNumber, Pagination } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { datasetTokensQuery } from './api'
import { ModelChoice } from './model-choice'
import { TokenRow } from './token-row'
import { TokenLegend } from './token-text'
import { useChosenModel } from './use-chosen-model'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'
import '../view/view.css'
import './tokens.css'

const ROWS = 5
const SHOWN_TOKENS = 1000
const SHORTEST = 16
const LONGEST = 1_048_576
const USUAL_LENGTH = '1024'

export function TokensTab({
  dataset,
  version,
}: {
  dataset: Schemas['Dataset']
  version?: number
}) {
  const { t } = useTranslation()
  const choice = useChosenModel(dataset)
  const [state, set] = useSearchState({ page: '1', length: USUAL_LENGTH })
  const page = Math.max(1, Math.floor(Number(state.page)) || 1)
  const asked = Math.floor(Number(state.length)) || Number(USUAL_LENGTH)
  const length = Math.min(LONGEST, Math.max(SHORTEST, asked))
  const query = choice.model && {
    model_id: choice.model.id,
    objective: choice.objective,
    max_length: length,
    offset: (page - 1) * ROWS,
    limit: ROWS,
    max_shown: SHOWN_TOKENS,
    ...(version && { version }),
  }
  const { data, error, refetch, isPlaceholderData } = useQuery(
    datasetTokensQuery(dataset, query ?? null),
  )
  return (
    <>
      <Flex gap={8} wrap align="center" style={{ marginBottom: 12 }}>
        <ModelChoice choice={choice} />
        {choice.model && (
          <LengthInput
            key={length}
            length={length}
            onChange={(next) => set({ length: String(next), page: '1' })}
          />
        )}
      </Flex>
      {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {query && !data && !error && (
        <DelayedSkeleton rows={8} note={t('datasets.tokens.loading')} />
      )}
      {query && data && !error && (
        <div style={{ opacity: isPlaceholderData ? 0.6 : 1 }}>
          {data.reads_whole ? (
            <p className="secondary">{t('datasets.tokens.readWhole')}</p>
          ) : (
            <TokenLegend />
          )}
          <ol className="record-list">
            {data.items.map((row) => (
              <TokenRow
                // Another model or length: what was unfolded is something else.
                key={`${choice.model?.id}:${choice.objective}:${length}:${row.index}`}
                row={row}
                asked={{ dataset, query, readsWhole: data.reads_whole }}
              />
            ))}
          </ol>
          <Pagination
            current={page}
            pageSize={ROWS}
            total={data.total}
            onChange={(next) => set({ page: String(next) })}
            showSizeChanger={false}
            hideOnSinglePage
            size="small"
            style={{ marginTop: 12 }}
          />
        </div>
      )}
    </>
  )
}

interface LengthProps {
  length: number
  onChange: (length: number) => void
}

/** Asks only once the number is whole: every digit on the way would be another question. */
function LengthInput({ length, onChange }: LengthProps) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState<number | null>(length)
  const commit = () => typed !== null && typed !== length && onChange(typed)
  return (
    <InputNumber
      min={SHORTEST}
      max={LONGEST}
      precision={0}
      value={typed}
      changeOnWheel={false}
      onChange={setTyped}
      onBlur={commit}
      onPressEnter={commit}
      aria-label={t('datasets.tokens.maxLength')}
      prefix={<span className="secondary">{t('datasets.tokens.maxLength')}</span>}
      style={{ width: 260 }}
    />
  )
}
