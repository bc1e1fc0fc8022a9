/** What one version has and another has not: counts, and the first rows side by side. */
import { SwapOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Drawer, Empty, Flex, Segmented, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { datasetDiffQuery, type Version } from './api'
import { comparedIn } from './diff-fields'
import { DiffRow } from './diff-row'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'
import { useFormat } from '@/i18n/format'

interface Props {
  dataset: Schemas['Dataset']
  versions: Version[]
}

export function CompareDrawer({ dataset, versions }: Props) {
  const { t } = useTranslation()
  const [{ compare }, set] = useSearchState({ compare: '' })
  const pair = comparedIn(compare)
  return (
    <Drawer
      open={pair !== null}
      onClose={() => set({ compare: '' })}
      size="min(1080px, 100vw)"
      title={pair && t('datasets.versions.compareTitle', { ...pair })}
      destroyOnHidden
      extra={
        pair && (
          <Tooltip title={t('datasets.versions.swap')}>
            <Button
              icon={<SwapOutlined />}
              aria-label={t('datasets.versions.swap')}
              onClick={() => set({ compare: `${pair.against}-${pair.version}` })}
            />
          </Tooltip>
        )
      }
    >
      {pair && <Difference key={compare} dataset={dataset} versions={versions} {...pair} />}
    </Drawer>
  )
}

const CHANGES = ['changed', 'added', 'removed'] as const
type Change = (typeof CHANGES)[number]

function Difference({ dataset, versions, version, against }: Props & { version: number; against: number }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data, error, refetch } = useQuery(datasetDiffQuery(dataset.id, version, against))
  const [chosen, setChosen] = useState<Change | null>(null)
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton rows={8} />
  const there = CHANGES.filter((change) => data[change] > 0)
  const change = chosen ?? there[0]
  const items = data.items.filter((each) => each.change === change)
  const typeOf = (number: number) => versions.find((each) => each.version === number)?.record_type ?? null
  return (
    <Flex vertical gap={12}>
      <div className="diff-counts numeric" role="status">
        {[...CHANGES, 'unchanged' as const].map((name) => (
          <span key={name}>
            <strong>{format.number(data[name])}</strong>{' '}
            <span className="secondary">{t(`datasets.versions.changes.${name}`)}</span>
          </span>
        ))}
      </div>
      {change === undefined ? (
        <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('datasets.versions.same')} />
      ) : (
        <>
          <Segmented
            value={change}
            onChange={setChosen}
            aria-label={t('datasets.versions.kind')}
            style={{ alignSelf: 'flex-start' }}
            options={there.map((value) => ({
              value,
              label: `${t(`datasets.versions.changes.${value}`)} (${format.number(data[value])})`,
            }))}
          />
          {items.length < data[change] && (
            <span className="secondary">{t('datasets.versions.firstRows', { count: items.length })}</span>
          )}
          <ol className="diff-rows">
            {items.map((item, index) => (
              <DiffRow
                key={`${change} ${index}`}
                item={item}
                version={version}
                against={against}
                types={{ before: typeOf(against), after: typeOf(version) }}
              />
            ))}
          </ol>
        </>
      )}
    </Flex>
  )
}
