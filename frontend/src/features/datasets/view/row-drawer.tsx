/** One row in all views; keys and buttons go on to the next of those that are listed. */
import { LeftOutlined, RightOutlined } from '@ant-design/icons'
import { Button, Drawer, Flex, Tooltip, Typography } from 'antd'
import { useEffect, useEffectEvent, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { RecordJson } from './record-json'
import { RecordReading } from './record-reading'
import type { Row } from './rows-state'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ROW_LINK } from '@/components/use-list-keys'
import { useFormat } from '@/i18n/format'

interface Props {
  /** The row; undefined while it is fetched, null when there is none at this place. */
  row: Row | null | undefined
  /** 1-based, among those that are listed; null while nothing is open. */
  place: number | null
  total: number | undefined
  recordType: string | null
  query: string
  onGo: (place: number) => void
  onClose: () => void
}

const KEYS: Record<string, number> = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 }

export function RowDrawer({ row, place, total, recordType, query, onGo, onClose }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const go = (by: number) => {
    const next = (place ?? 0) + by
    if (place !== null && next >= 1 && next <= (total ?? 0)) onGo(next)
  }
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const by = KEYS[event.key]
    const target = event.target instanceof Element ? event.target : null
    const used = event.ctrlKey || event.metaKey || event.altKey || target?.closest('input, textarea, select')
    if (by === undefined || used) return
    event.preventDefault()
    go(by)
  })
  const isOpen = place !== null
  const seen = useRef<number>(undefined)
  const index = row?.index
  useEffect(() => {
    if (index !== undefined) seen.current = index
  }, [index])
  useEffect(() => {
    if (!isOpen) return
    const listener = (event: KeyboardEvent) => onKey(event)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [isOpen])

  const title = row
    ? t('datasets.view.row', { number: row.index + 1 }) +
      (row.line === null ? '' : ` · ${t('datasets.view.line', { line: row.line })}`)
    : t(row === null ? 'datasets.rowView.noRow' : 'general.loading')
  return (
    <Drawer
      open={isOpen}
      onClose={onClose}
      size="min(760px, 100vw)"
      title={<span className="numeric">{title}</span>}
      extra={
        <Flex gap={4} align="center">
          <span className="secondary numeric">
            {isOpen && total !== undefined && `${format.number(place)} / ${format.number(total)}`}
          </span>
          <Tooltip title={t('datasets.rowView.previous')}>
            <Button
              icon={<LeftOutlined />}
              aria-label={t('datasets.rowView.previous')}
              disabled={(place ?? 1) <= 1}
              onClick={() => go(-1)}
            />
          </Tooltip>
          <Tooltip title={t('datasets.rowView.next')}>
            <Button
              icon={<RightOutlined />}
              aria-label={t('datasets.rowView.next')}
              disabled={(place ?? 1) >= (total ?? 1)}
              onClick={() => go(1)}
            />
          </Tooltip>
        </Flex>
      }
      focusable={{ focusTriggerAfterClose: false }}
      // Back to the row that was looked at last, which need not be the one that was opened.
      afterOpenChange={(open) =>
        !open && document.querySelector<HTMLElement>(`[${ROW_LINK}="${seen.current}"]`)?.focus()
      }
    >
      {row ? (
        <Flex vertical gap={16}>
          <RecordReading key={row.index} record={row.record} recordType={recordType} query={query} />
          <section>
            <Typography.Title level={3}>{t('datasets.view.raw')}</Typography.Title>
            <RecordJson key={row.index} record={row.record} query={query} />
          </section>
        </Flex>
      ) : row === null ? (
        <p className="secondary">{t('datasets.rowView.noRowDetail', { count: total ?? 0 })}</p>
      ) : (
        <DelayedSkeleton rows={8} />
      )}
    </Drawer>
  )
}
