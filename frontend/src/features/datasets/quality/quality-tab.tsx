/** What the rows hide: duplicates, personal data, poor answers, languages; and rows shared with others. */
import { LoadingOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Flex, Progress } from 'antd'
import { useTranslation } from 'react-i18next'
import { examine, hygieneQuery, type Hygiene } from './api'
import { FindingList } from './finding-list'
import { LanguageMix } from './language-mix'
import { hasBlindSpot, NotLookedAt } from './not-looked-at'
import { Overlap } from './overlap'
import type { Schemas } from '@/api/client'
import { translateCode, translateHint } from '@/api/errors'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'
import '../view/view.css'
import './quality.css'

/** Nothing has gone wrong: nobody has asked yet. */
const NOT_EXAMINED = 'not_examined'

interface Props {
  dataset: Schemas['Dataset']
  /** A version is being made, so that no other can be. */
  busy: boolean
}

export function QualityTab({ dataset, busy }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data, error, refetch } = useQuery(hygieneQuery(dataset))
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton rows={6} />
  const known = data.examined_rows > 0
  return (
    <Flex vertical gap={24}>
      <Progressing dataset={dataset} hygiene={data} />
      {known && (
        <>
          <section>
            <p className="secondary numeric">{t('datasets.quality.examined', { n: format.number(data.examined_rows) })}</p>
            <FindingList
              dataset={dataset}
              findings={data.findings}
              whole={!hasBlindSpot(data)}
              busy={busy}
            />
          </section>
          <NotLookedAt hygiene={data} />
          <LanguageMix hygiene={data} />
        </>
      )}
      <Overlap dataset={dataset} />
    </Flex>
  )
}

function Progressing({ dataset, hygiene }: { dataset: Schemas['Dataset']; hygiene: Hygiene }) {
  const { t } = useTranslation()
  const format = useFormat()
  const queries = useQueryClient()
  const again = useMutation({
    mutationFn: () => examine(dataset.id, dataset.version),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['datasets', 'one', dataset.id, 'hygiene'] }),
    onError: useShowError(),
  })
  const { status, progress, eta_s: left, error } = hygiene
  if (status === 'ready') return null
  if (status === 'failed') {
    return (
      <Alert
        type={error?.code === NOT_EXAMINED ? 'info' : 'warning'}
        showIcon
        role="status"
        title={error ? translateCode(t, error) : t('datasets.quality.failed')}
        description={error ? translateHint(t, error) : undefined}
        action={
          <Button size="small" loading={again.isPending} onClick={() => again.mutate()}>
            {t('datasets.quality.examine')}
          </Button>
        }
      />
    )
  }
  return (
    <div role="status">
      <LoadingOutlined aria-hidden /> {t(`datasets.quality.${status}`)}
      {status === 'running' && (
        <Flex gap={12} align="center" style={{ maxWidth: 560 }}>
          <Progress
            percent={Math.round((progress ?? 0) * 100)}
            size="small"
            aria-label={t('datasets.quality.running')}
          />
          {left != null && (
            <span className="secondary nowrap">{t('datasets.quality.left', { time: format.about(left) })}</span>
          )}
        </Flex>
      )}
      {hygiene.examined_rows > 0 && <p className="secondary">{t('datasets.quality.former')}</p>}
    </div>
  )
}
