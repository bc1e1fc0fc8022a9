/** The filters in force, each to be taken away, and how many lines they hide. */
import { Flex, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { HiddenCount } from './line-count'
import type { LogRows } from './log-rows-model'
import type { LogFilter, LogSearch, LogState } from './log-state'
import { isFiltering } from './log-state'
import { useFormat } from '@/i18n/format'

interface Props {
  state: LogState
  rows: LogRows
  onFilter: (next: LogFilter) => void
  onSearch: (next: Partial<LogSearch>) => void
}

interface Chip {
  key: string
  text: string
  remove: () => void
}

export function FilterChips({ state, rows, onFilter, onSearch }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { filter, search } = state
  const only = search.only && search.q !== ''
  if (!isFiltering(filter) && !only) return null
  const without = <T,>(all: readonly T[], one: T) => all.filter((each) => each !== one)
  const chips: Chip[] = [
    ...filter.levels.map((level) => ({
      key: `level-${level}`,
      text: t(`logs.levels.${level}`),
      remove: () => onFilter({ ...filter, levels: without(filter.levels, level) }),
    })),
    ...filter.streams.map((stream) => ({
      key: `stream-${stream}`,
      text: t(`logs.streams.${stream}`),
      remove: () => onFilter({ ...filter, streams: without(filter.streams, stream) }),
    })),
    ...filter.ranks.map((rank) => ({
      key: `rank-${rank}`,
      text: t('logs.rank', { rank }),
      remove: () => onFilter({ ...filter, ranks: without(filter.ranks, rank) }),
    })),
    ...(['since', 'until'] as const)
      .filter((name) => filter[name])
      .map((name) => ({
        key: name,
        text: t(`logs.filter.${name}Chip`, { time: format.dateTime(new Date(filter[name])) }),
        remove: () => onFilter({ ...filter, [name]: '' }),
      })),
    ...(only
      ? [{ key: 'only', text: t('logs.filter.onlyChip', { q: search.q }), remove: () => onSearch({ only: false }) }]
      : []),
  ]
  return (
    <Flex gap={4} align="center" wrap className="log-chips">
      {chips.map(({ key, text, remove }) => (
        <Tag key={key} closable={{ 'aria-label': t('logs.filter.remove', { what: text }) }} onClose={(event) => (event.preventDefault(), remove())}>
          {text}
        </Tag>
      ))}
      <HiddenCount rows={rows} />
    </Flex>
  )
}
