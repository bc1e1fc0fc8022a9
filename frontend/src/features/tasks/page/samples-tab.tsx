/** What the model answered while it learnt: the newest answers, and those of earlier steps. */
import { useQuery } from '@tanstack/react-query'
import { Flex, Segmented, Select, Table, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { samplesQuery, type Task } from '../api'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'
import { ErrorPanel } from '@/components/error-panel'
import { useFormat } from '@/i18n/format'

const pre = { whiteSpace: 'pre-wrap' as const, overflowWrap: 'anywhere' as const }
// More steps than this do not fit side by side.
const MOST_BUTTONS = 8

export function SamplesTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data, error, refetch } = useQuery(samplesQuery(task.id))
  const [chosen, setChosen] = useState<string | null>(null)
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton />
  const newest = data.at(-1)
  if (!newest) return <EmptyState title={t('tasks.samples.none')} />
  const keyOf = ({ step, at }: { step: number; at: string }) => `${step}-${at}`
  const shown = data.find((each) => keyOf(each) === chosen) ?? newest
  const label = t('tasks.samples.step')
  const options = data.map((each) => ({ value: keyOf(each), label: format.number(each.step) }))
  const choice = { value: keyOf(shown), options, onChange: setChosen, 'aria-label': label }
  return (
    <Flex vertical gap={12}>
      <Typography.Title level={2} style={{ margin: 0 }}>
        {t('tasks.samples.atStep', { step: format.number(shown.step) })}
      </Typography.Title>
      {data.length > 1 && (
        <Flex gap={8} align="center" wrap>
          <span className="secondary">{label}</span>
          {data.length <= MOST_BUTTONS ? (
            <Segmented {...choice} />
          ) : (
            <Select {...choice} style={{ minWidth: 120 }} />
          )}
        </Flex>
      )}
      <Table
        size="small"
        rowKey="place" // two rows of the data may ask the same
        dataSource={shown.items.map((item, place) => ({ ...item, place }))}
        pagination={false}
        scroll={{ x: 640 }}
        columns={[
          { title: t('tasks.samples.prompt'), dataIndex: 'prompt', width: '26%', onCell: () => ({ style: pre }) },
          { title: t('tasks.samples.answer'), dataIndex: 'answer', width: '37%', onCell: () => ({ style: pre }) },
          { title: t('tasks.samples.expected'), dataIndex: 'expected', width: '37%', onCell: () => ({ style: pre }) },
        ]}
      />
    </Flex>
  )
}
