/** What stands above the lines: attempt, search, filters, the state of the connection, the view. */
import { Flex, Select } from 'antd'
import type { RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { ConnectionState } from './connection-state'
import { FilterChips } from './filter-chips'
import { FilterPanel } from './filter-panel'
import { LineCount } from './line-count'
import { SearchBox } from './search-box'
import type { LogView } from './use-log-view'
import { DownloadMenu, FullButton, KeysHelp, ViewMenu } from './view-controls'

interface Props {
  view: LogView
  task: string
  attempts: number
  fieldRef: RefObject<HTMLInputElement | null>
  full: boolean
  onFull: (full: boolean) => void
  help: boolean
  onHelp: (open: boolean) => void
  onLeave: () => void
}

export function LogToolbar({ view, task, attempts, fieldRef, full, onFull, help, onHelp, onLeave }: Props) {
  const { t } = useTranslation()
  const { address, attempt, writing, rows, stream, search, filter, filtering } = view
  const { state, set } = address
  const onSearch = (next: Partial<typeof state.search>) =>
    set(({ search: before }) => ({ search: { ...before, ...next } }))
  return (
    <div className="log-toolbar">
      <Flex gap={8} align="flex-start" wrap>
        {attempts > 1 && (
          <Select
            value={attempt}
            aria-label={t('tasks.logs.attempt', { number: attempt })}
            onChange={(value) => set({ attempt: value === attempts ? 0 : value })}
            options={Array.from({ length: attempts }, (_, n) => ({
              value: n + 1,
              label: t('tasks.logs.attempt', { number: n + 1 }),
            }))}
          />
        )}
        <SearchBox search={state.search} found={search} fieldRef={fieldRef} onSearch={onSearch} onLeave={onLeave} />
        <FilterPanel filter={state.filter} onChange={(next) => set({ filter: next })} />
        <Flex gap={8} align="center" className="log-side" wrap>
          <LineCount rows={rows} />
          <ConnectionState live={writing} stream={stream} />
          <ViewMenu state={state} onChange={set} />
          <DownloadMenu task={task} attempt={attempt} shown={filtering ? filter : null} />
          <FullButton full={full} onFull={onFull} />
          <KeysHelp open={help} onOpen={onHelp} />
        </Flex>
      </Flex>
      <FilterChips
        state={state}
        rows={rows}
        onFilter={(next) => set({ filter: next })}
        onSearch={onSearch}
      />
    </div>
  )
}
