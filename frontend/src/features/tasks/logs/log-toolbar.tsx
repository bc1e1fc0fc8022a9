/** Search, level filter, wrap, follow, download, and the state of the connection. */
import { DownloadOutlined } from '@ant-design/icons'
import { Badge, Button, Checkbox, Flex, Input, Select } from 'antd'
import type { Ref } from 'react'
import { useTranslation } from 'react-i18next'
import { taskUrl } from '../api'
import type { Level } from './log-lines'
import type { LogLines } from './use-log-lines'
import type { StreamState } from '@/api/event-stream'
import { useFormat } from '@/i18n/format'

const LEVELS: Level[] = ['debug', 'info', 'warning', 'error']
const BADGE: Record<StreamState, 'success' | 'processing' | 'warning' | 'default'> = {
  connecting: 'processing',
  live: 'success',
  reconnecting: 'warning',
  closed: 'default',
}

interface Props {
  taskId: string
  attempt: number
  log: LogLines
  live: boolean
  q: string
  levels: Level[]
  wrap: boolean
  follow: boolean
  searchRef: Ref<HTMLInputElement>
  onChange: (next: { q?: string; levels?: Level[] }) => void
  onWrap: (wrap: boolean) => void
  onFollow: (follow: boolean) => void
}

export function LogToolbar(props: Props) {
  const { taskId, attempt, log, live, q, levels, wrap, follow, onChange, onWrap, onFollow } = props
  const { t } = useTranslation()
  const format = useFormat()
  const state = live ? log.state : 'closed'
  return (
    <Flex gap={8} align="center" wrap style={{ marginBottom: 8 }}>
      <Input.Search
        allowClear
        defaultValue={q}
        key={q}
        ref={(search) => setInput(props.searchRef, search?.input ?? null)}
        placeholder={t('tasks.logs.search')}
        aria-label={t('tasks.logs.search')}
        onSearch={(text) => onChange({ q: text.trim() })}
        style={{ width: 240 }}
      />
      <Select
        mode="multiple"
        allowClear
        value={levels}
        placeholder={t('tasks.logs.allLevels')}
        aria-label={t('tasks.logs.allLevels')}
        onChange={(value: Level[]) => onChange({ levels: value })}
        options={LEVELS.map((value) => ({ value, label: t(`tasks.logs.levels.${value}`) }))}
        style={{ minWidth: 160 }}
      />
      <Checkbox checked={wrap} onChange={(event) => onWrap(event.target.checked)}>
        {t('tasks.logs.wrap')}
      </Checkbox>
      {live && (
        <Checkbox checked={follow} onChange={(event) => onFollow(event.target.checked)}>
          {t('tasks.logs.follow')}
        </Checkbox>
      )}
      <span className="secondary numeric" role="status">
        {log.matched === null
          ? t('tasks.logs.lines', { count: log.total, shown: format.number(log.total) })
          : t('tasks.logs.matched', {
              count: log.matched,
              shown: format.number(log.matched),
              total: format.number(log.total),
            })}
      </span>
      <span style={{ flex: 1 }} />
      <Badge status={BADGE[state]} text={t(`status.stream.${state}`)} />
      <Button
        icon={<DownloadOutlined />}
        href={`${taskUrl(taskId, 'logs/download')}?attempt=${attempt}`}
        download
      >
        {t('general.download')}
      </Button>
    </Flex>
  )
}

function setInput(ref: Ref<HTMLInputElement>, input: HTMLInputElement | null): void {
  if (typeof ref === 'function') ref(input)
  else if (ref) ref.current = input
}
