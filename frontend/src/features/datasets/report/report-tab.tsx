/** What became of every row of the file: counts that add up, and each row that was not simply kept. */
import { DownloadOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Flex, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { datasetReportQuery, datasetReportUrl } from '../api'
import { CountsLine } from './counts-line'
import { ReportTable } from './report-table'
import { ruleName } from './rule-name'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useSearchState } from '@/components/use-search-state'
import { useFormat } from '@/i18n/format'

const PAGE_SIZE = 100

export function ReportTab({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const [state, set] = useSearchState({ rule: '', action: '', items: '1' })
  const page = Math.max(1, Math.floor(Number(state.items)) || 1)
  const action = state.action === 'repaired' || state.action === 'dropped' ? state.action : null
  const { data, error, refetch } = useQuery(
    datasetReportQuery(dataset, {
      offset: (page - 1) * PAGE_SIZE,
      limit: PAGE_SIZE,
      ...(action && { action }),
      ...(state.rule && { rule: state.rule }),
    }),
  )
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton rows={6} />
  const rules = Object.entries(data.rules)

  return (
    <Flex vertical gap={16}>
      {data.total_rows > 0 && <CountsLine report={data} />}
      {rules.length === 0 ? (
        <p className="secondary">{t('datasets.report.clean')}</p>
      ) : (
        <>
          <Flex gap={8} wrap>
            <Select
              value={state.action}
              onChange={(next) => set({ action: next, items: '1' })}
              aria-label={t('datasets.report.action')}
              style={{ width: 210 }}
              options={[
                { value: '', label: t('datasets.report.anyAction') },
                { value: 'dropped', label: t('datasets.report.dropped') },
                { value: 'repaired', label: t('datasets.report.repaired') },
              ]}
            />
            <Select
              value={state.rule}
              onChange={(next) => set({ rule: next, items: '1' })}
              aria-label={t('datasets.report.rule')}
              popupMatchSelectWidth={false}
              style={{ width: 260 }}
              options={[
                { value: '', label: t('datasets.report.anyRule') },
                ...rules.map(([rule, rows]) => ({
                  value: rule,
                  label: `${ruleName(t, rule)} (${format.number(rows)})`,
                })),
              ]}
            />
            <Button icon={<DownloadOutlined />} href={datasetReportUrl(dataset.id, dataset.version)} download>
              {t('datasets.report.download')}
            </Button>
          </Flex>
          <ReportTable
            report={data}
            page={page}
            pageSize={PAGE_SIZE}
            onPage={(next) => set({ items: String(next) })}
          />
        </>
      )}
    </Flex>
  )
}
