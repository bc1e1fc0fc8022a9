/** The parts of a run as places to jump to, with how long each took, and the first error. */
import { CloseCircleOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Section, Sections } from './log-api'
import type { RowScroller } from './row-scroller'
import { useScrollState } from './use-row-scroller'
import { useFormat } from '@/i18n/format'

interface Props {
  found: Sections | undefined
  scroller: RowScroller
  /** The run still writes: its last part goes on. */
  writing: boolean
  /** Number of the line at the top of the view. */
  top: () => number
  onJump: (number: number) => void
  onError: (number: number) => void
}

function seconds({ started_at: from, finished_at: to }: Section): number | null {
  return to ? (Date.parse(to) - Date.parse(from)) / 1000 : null
}

export function SectionStrip({ found, scroller, writing, top, onJump, onError }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  // Which part is looked at, so that scrolling within it draws nothing here.
  const here = useScrollState(scroller, (shown) => {
    if (shown.following) return (found?.sections.length ?? 0) - 1
    const number = top()
    return found?.sections.findLastIndex(({ first_number: first }) => first <= number) ?? -1
  })
  if (!found || (found.sections.length === 0 && !found.first_error)) return null
  const error = found.first_error
  return (
    <nav className="log-sections" aria-label={t('logs.sections.title')}>
      {error && (
        <Button
          size="small"
          danger
          type="text"
          icon={<CloseCircleOutlined />}
          title={error.text.slice(0, 300)}
          onClick={() => onError(error.number)}
        >
          {t('logs.sections.firstError', { number: format.number(error.number) })}
        </Button>
      )}
      {found.sections.map((section, n) => {
        const took = seconds(section)
        return (
          <Button
            key={section.first_number}
            size="small"
            type="text"
            aria-current={n === here ? 'location' : undefined}
            className={n === here ? 'log-section log-here' : 'log-section'}
            title={t('logs.sections.line', { number: format.number(section.first_number) })}
            onClick={() => onJump(section.first_number)}
          >
            {t(`logs.sections.${section.name}`)}
            <span className="secondary numeric">
              {took !== null ? format.duration(took) : writing && t('logs.sections.now')}
            </span>
          </Button>
        )
      })}
    </nav>
  )
}
