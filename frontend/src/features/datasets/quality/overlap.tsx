/** Rows that another data set has, too: a validation set that was trained on measures nothing. */
import { LoadingOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Select, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { overlapQuery } from './api'
import { RowLink } from './finding-entry'
import { SectionTitle } from './section-title'
import { datasetListQuery } from '../api'
import type { Schemas } from '@/api/client'
import { ApiError, errorSentence } from '@/api/errors'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'
import { useFormat } from '@/i18n/format'

const KINDS = ['exact', 'near', 'same_prompt'] as const

export function Overlap({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const [{ with: other }, set] = useSearchState({ with: '' })
  const list = useQuery(datasetListQuery({ limit: 200 }))
  const others = (list.data?.items ?? []).filter(({ id, status }) => id !== dataset.id && status === 'ready')
  const overlap = useQuery(overlapQuery(dataset, other))
  return (
    <section>
      <SectionTitle>{t('datasets.quality.overlap')}</SectionTitle>
      <p className="secondary">{t('datasets.quality.overlapPurpose')}</p>
      <Select
        value={other || undefined}
        onChange={(next: string | undefined) => set({ with: next ?? '' })}
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        loading={list.isPending}
        placeholder={t('datasets.quality.chooseOther')}
        aria-label={t('datasets.quality.chooseOther')}
        notFoundContent={t('datasets.quality.noOther')}
        options={others.map(({ id, name }) => ({ value: id, label: name }))}
        style={{ width: 'min(360px, 100%)' }}
      />
      {other && overlap.isFetching && (
        <p role="status" className="secondary">
          <LoadingOutlined aria-hidden /> {t('datasets.quality.comparing')}
        </p>
      )}
      {other && overlap.error && (
        <div style={{ marginTop: 12 }}>
          {overlap.error instanceof ApiError && overlap.error.code === 'NotExaminedYet' ? (
            <Alert
              type="info"
              showIcon
              role="status"
              title={errorSentence(t, overlap.error)}
              action={
                <Button size="small" onClick={() => void overlap.refetch()}>
                  {t('general.retry')}
                </Button>
              }
            />
          ) : (
            <ErrorPanel error={overlap.error} onRetry={() => void overlap.refetch()} />
          )}
        </div>
      )}
      {other && overlap.data && <Found dataset={dataset} overlap={overlap.data} />}
    </section>
  )
}

function Found({ dataset, overlap }: { dataset: Schemas['Dataset']; overlap: Schemas['DatasetOverlap'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const shared = KINDS.reduce((sum, kind) => sum + overlap[kind], 0)
  const other = { id: overlap.with_dataset_id, version: overlap.with_version }
  return (
    <div role="status" style={{ marginTop: 12 }}>
      {shared === 0 ? (
        t('datasets.quality.nothingShared')
      ) : (
        <ul className="overlap-counts numeric">
          {KINDS.map((kind) => (
            <li key={kind}>
              <strong>{format.number(overlap[kind])}</strong> {t(`datasets.quality.shared.${kind}`)}{' '}
              <span className="secondary">{format.percent(overlap[kind] / (overlap.rows || 1), 1)}</span>
            </li>
          ))}
        </ul>
      )}
      {overlap.examples.length > 0 && (
        <ul className="overlap-examples">
          {overlap.examples.map((example, index) => (
            <li key={index}>
              <Tag>{t(`datasets.quality.shared.${example.kind}`)}</Tag>{' '}
              <RowLink dataset={dataset} index={example.index} />
              {' → '}
              <RowLink dataset={other} index={example.other} />
              <div className="finding-excerpt mono">{example.excerpt}</div>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
