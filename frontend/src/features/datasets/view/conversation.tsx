/** A conversation: who says what, and which tools are called. Text is shown as text, never as markup. */
import { CheckOutlined, CloseOutlined } from '@ant-design/icons'
import { useTranslation } from 'react-i18next'
import { CutText } from './cut-text'
import type { Turn } from './record-text'
import { ToolCall } from './tool-call'

export const KNOWN_ROLES = ['system', 'user', 'assistant', 'tool'] as const

interface Props {
  turns: readonly Turn[]
  query?: string | undefined
  /** For rated steps: whether each turn of the assistant is right. */
  verdicts?: readonly boolean[]
}

export function Conversation({ turns, query, verdicts = [] }: Props) {
  const { t } = useTranslation()
  const roleName = (role: string) => {
    const known = KNOWN_ROLES.find((each) => each === role)
    return known ? t(`datasets.roles.${known}`) : role
  }
  const steps = turns.flatMap(({ role }, index) => (role === 'assistant' ? [index] : []))
  return (
    <div className="conversation">
      {turns.map(({ role, name, content, calls = [], untrained }, index) => (
        <div key={index} className="turn" data-role={role}>
          <span className="turn-role">
            {roleName(role)}
            {name && <span className="turn-name">{name}</span>}
            {untrained && <span className="turn-name">{t('datasets.rowView.untrained')}</span>}
            <Verdict right={verdicts[steps.indexOf(index)]} />
          </span>
          <div className="turn-text">
            {content && <CutText text={content} query={query} />}
            {calls.map((call, n) => (
              <ToolCall key={n} call={call} query={query} />
            ))}
          </div>
        </div>
      ))}
    </div>
  )
}

function Verdict({ right }: { right: boolean | undefined }) {
  const { t } = useTranslation()
  if (right === undefined) return null
  return (
    <span className={right ? 'verdict-good' : 'verdict-bad'}>
      {right ? <CheckOutlined aria-hidden /> : <CloseOutlined aria-hidden />}{' '}
      {t(right ? 'datasets.rowView.right' : 'datasets.rowView.wrong')}
    </span>
  )
}
