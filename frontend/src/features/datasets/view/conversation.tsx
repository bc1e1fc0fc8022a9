/** A conversation: who says what. Text is shown as text, never as markup. */
import { useTranslation } from 'react-i18next'
import type { Turn } from './record-text'

const KNOWN_ROLES = ['system', 'user', 'assistant', 'tool'] as const

export function Conversation({ turns }: { turns: Turn[] }) {
  const { t } = useTranslation()
  return (
    <div className="conversation">
      {turns.map(({ role, content }, index) => {
        const known = KNOWN_ROLES.find((each) => each === role)
        return (
          <div key={index} className="turn" data-role={role}>
            <span className="turn-role">{known ? t(`datasets.roles.${known}`) : role}</span>
            <div className="turn-text">{content}</div>
          </div>
        )
      })}
    </div>
  )
}
