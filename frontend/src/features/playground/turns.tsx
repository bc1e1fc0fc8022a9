/** The conversation: each question across both columns, the answers side by side below it. */
import { Fragment, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { AnswerView } from './answer-view'
import type { Turn } from './conversation'
import { differences } from '@/components/differences'

/** Characters that may not fit into the height of a question. */
const LONG = 600

interface Props {
  turns: readonly Turn[]
  names: readonly (string | undefined)[]
  marked: boolean
}

function TurnView({ turn, names, marked }: { turn: Turn } & Omit<Props, 'turns'>) {
  const { t } = useTranslation()
  const [left, right] = turn.answers
  const complete = [left, right].every((each) => each?.state === 'done')
  const compared = marked && complete
  const [a, b] = [left?.text ?? '', right?.text ?? '']
  const pieces = useMemo(() => (compared ? differences(a, b) : null), [compared, a, b])
  return (
    <>
      {/* A long one scrolls in itself: by keyboard, too. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="playground-question" tabIndex={turn.user.length > LONG ? 0 : undefined}>
        <span className="visually-hidden">{t('playground.you')}</span>
        {turn.user}
      </div>
      {names.map((name, column) => (
        <div key={column} className="playground-column">
          {/* Said aloud, and shown where the columns stand below each other. */}
          <div className="playground-name secondary">{name}</div>
          <AnswerView answer={turn.answers[column]} pieces={pieces?.[column]} />
        </div>
      ))}
    </>
  )
}

export function Turns({ turns, names, marked }: Props) {
  const { t } = useTranslation()
  return (
    <div className="playground-columns" role="log" aria-live="off" aria-label={t('playground.title')}>
      {turns.map((turn, n) => (
        <Fragment key={n}>
          <TurnView turn={turn} names={names} marked={marked} />
        </Fragment>
      ))}
    </div>
  )
}
