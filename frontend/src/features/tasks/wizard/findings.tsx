/** What is worth knowing before the start: what keeps it from starting, warnings, and mere notes. */
import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'
import { findingText } from './texts'
import type { Schemas } from '@/api/client'
import { useFormat } from '@/i18n/format'

type Finding = Schemas['Finding']

// They say how sure the figures are; nothing has to be done about them.
const NOTES = new Set(['time_not_measured', 'approximate_sizes'])

const kindOf = ({ code, blocking }: Finding) => {
  if (blocking) return 'error'
  return NOTES.has(code) ? 'info' : 'warning'
}

interface Props {
  findings: readonly Finding[]
  warningsOnly?: boolean
}

export function Findings({ findings, warningsOnly }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  return (['error', 'warning', 'info'] as const).map((type) => {
    const these = findings.filter((each) => kindOf(each) === type)
    if (these.length === 0 || (warningsOnly && type === 'info')) return null
    return (
      <Alert
        key={type}
        type={type}
        showIcon={!warningsOnly}
        role="status"
        title={these.map((each) => (
          <div key={each.code}>{findingText(t, format, each)}</div>
        ))}
      />
    )
  })
}
