/** Which rows, and how: view, search, split, and the way to one row or line. */
import { Flex, InputNumber, Segmented, Select, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RowsState, View } from './rows-state'
import { ListSearch } from '@/components/list-search'
import { useFormat } from '@/i18n/format'

interface Props {
  state: RowsState
  /** The views with what each is called for these rows. */
  views: { value: View; label: string }[]
  /** Name → rows; empty where the version is whole. */
  splits: Record<string, number>
  total: number | undefined
}

export function RowsToolbar({ state, views, splits, total }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const names = Object.entries(splits)
  const counted = state.query
    ? t('datasets.view.matches', { count: total ?? 0, n: format.number(total) })
    : t('datasets.rowCount', { count: total ?? 0 })
  return (
    <Flex gap={8} wrap align="center" className="rows-toolbar">
      <Segmented
        value={state.view}
        onChange={(view) => state.set({ view, page: '1' })}
        options={views}
        aria-label={t('datasets.view.label')}
      />
      <ListSearch
        q={state.query}
        label={t('datasets.view.search')}
        onSearch={(rows) => state.set({ rows, page: '1', open: '' })}
      />
      {(names.length > 0 || state.split) && (
        <Select
          value={state.split}
          onChange={(split) => state.set({ split, page: '1', open: '' })}
          aria-label={t('datasets.rowView.split')}
          popupMatchSelectWidth={false}
          style={{ minWidth: 150 }}
          options={[
            { value: '', label: t('datasets.rowView.allSplits') },
            ...names.map(([name, rows]) => ({ value: name, label: `${name} (${format.number(rows)})` })),
          ]}
        />
      )}
      <Jump state={state} />
      <span className="secondary numeric" role="status">
        {total !== undefined && counted}
      </span>
    </Flex>
  )
}

function Jump({ state }: { state: RowsState }) {
  const { t } = useTranslation()
  const [to, setTo] = useState<'row' | 'line'>('row')
  const [number, setNumber] = useState<number | null>(null)
  const go = () => {
    if (!number) return
    if (to === 'row') state.jump(number)
    else state.set({ line: String(number), open: '' })
    setNumber(null)
  }
  return (
    <Space.Compact>
      <Select
        value={to}
        onChange={setTo}
        aria-label={t('datasets.rowView.jump')}
        popupMatchSelectWidth={false}
        options={[
          { value: 'row', label: t('datasets.rowView.toRow') },
          { value: 'line', label: t('datasets.rowView.toLine') },
        ]}
      />
      <InputNumber
        min={1}
        max={1e14}
        precision={0}
        controls={false}
        value={number}
        onChange={setNumber}
        onPressEnter={go}
        placeholder={t('datasets.view.number')}
        aria-label={t(to === 'row' ? 'datasets.rowView.toRow' : 'datasets.rowView.toLine')}
        style={{ width: 88 }}
      />
    </Space.Compact>
  )
}
