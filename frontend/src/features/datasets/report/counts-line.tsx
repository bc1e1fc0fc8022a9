/** kept + repaired + dropped = rows of the file: the sum is written out. */
import { Flex } from 'antd'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '@/api/client'
import { originalWords } from '@/api/errors'
import { useFormat } from '@/i18n/format'

export function CountsLine({ report }: { report: Schemas['DatasetReport'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { kept, repaired, dropped } = report.counts
  const parts = [
    ['kept', kept, undefined],
    ['repaired', repaired, repaired ? 'var(--ant-color-warning)' : undefined],
    ['dropped', dropped, dropped ? 'var(--ant-color-error)' : undefined],
  ] as const
  const facts = [
    detection(t, report),
    report.delimiter && t('datasets.report.delimiter', { delimiter: shown(report.delimiter) }),
    report.encoding,
  ].filter(Boolean)
  return (
    <div>
      <Flex gap={16} wrap align="baseline" className="numeric">
        {parts.map(([name, count, color], index) => (
          <Flex key={name} gap={16} align="baseline">
            {index > 0 && <span aria-hidden>{'+'}</span>}
            <Figure figure={format.number(count)} label={t(`datasets.report.${name}`)} color={color} />
          </Flex>
        ))}
        <span aria-hidden>{'='}</span>
        <Figure
          figure={format.number(report.total_rows)}
          label={t(`datasets.report.${report.format ? 'total' : 'totalMade'}`)}
        />
      </Flex>
      <div className="secondary" style={{ fontSize: 12, marginTop: 4 }}>
        {[t('datasets.report.truncatedLater'), ...facts].join(' · ')}
      </div>
    </div>
  )
}

/** Why it was read as it was: in English the server's own sentence, which knows most. */
function detection(t: TFunction, { detected_because, format }: Schemas['DatasetReport']): string {
  if (!format || originalWords(detected_because ?? '') === null) return detected_because ?? ''
  if (format === 'mapped') return t('datasets.report.mapped')
  return t('datasets.report.detected', {
    format: t(`datasets.formats.${format}` as 'datasets.format', { defaultValue: format }),
  })
}

function Figure({ figure, label, color }: { figure: string; label: string; color?: string }) {
  return (
    <span>
      <span style={{ fontSize: 20, fontWeight: 600, color }}>{figure}</span>{' '}
      <span className="secondary">{label}</span>
    </span>
  )
}

const NAMES: Record<string, string> = { '\t': '⇥', ' ': '␣' }
const shown = (delimiter: string) => NAMES[delimiter] ?? delimiter
