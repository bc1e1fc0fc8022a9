/** One answer as plain text, with its speed and length under it. */
import { CopyOutlined } from '@ant-design/icons'
import { Alert, App, Button, Flex, Spin } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Answer } from './conversation'
import type { Piece } from '@/components/differences'
import { useFormat } from '@/i18n/format'

interface Props {
  answer: Answer | null | undefined
  /** The text with what only this answer says marked. */
  pieces?: Piece[] | undefined
}

export function AnswerView({ answer, pieces }: Props) {
  const { t } = useTranslation()
  if (!answer) return <span className="secondary">{t('playground.notAsked')}</span>
  return (
    <div aria-busy={answer.state === 'waiting' || answer.state === 'streaming'}>
      {answer.state === 'waiting' && <Spin size="small" description={t('playground.waiting')} />}
      <div className="playground-answer">
        {pieces
          ? pieces.map(({ text, own }, n) => (own ? <mark key={n}>{text}</mark> : text))
          : answer.text}
        {answer.state === 'streaming' && <span className="playground-cursor" aria-hidden />}
      </div>
      {answer.error && (
        <Alert
          type="error"
          showIcon
          role="alert"
          title={answer.error.message}
          description={answer.error.hint || undefined}
        />
      )}
      <Flex gap={8} align="center" className="playground-facts secondary numeric">
        <Facts answer={answer} />
        {answer.text && answer.state !== 'streaming' && <CopyButton text={answer.text} />}
      </Flex>
    </div>
  )
}

function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  // A page of plain HTTP on another host has no clipboard.
  if (!window.isSecureContext) return null
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => message.success(t('general.copied')),
      () => message.error(t('general.copyFailed')),
    )
  return (
    <Button
      type="text"
      size="small"
      icon={<CopyOutlined />}
      aria-label={t('general.copy')}
      onClick={() => void copy()}
    />
  )
}

function Facts({ answer: { done, state } }: { answer: Answer }) {
  const { t } = useTranslation()
  const format = useFormat()
  if (!done) return state === 'stopped' ? t('playground.stopped') : null
  return [
    t('playground.tokens', { count: done.completion_tokens }),
    done.tokens_per_s != null && t('playground.speed', { value: format.number(done.tokens_per_s, 1) }),
    done.time_to_first_token_s != null &&
      t('playground.first', { time: format.duration(done.time_to_first_token_s) }),
    done.finish_reason === 'length' && t('playground.cutAtLength'),
    done.finish_reason === 'cancelled' && t('playground.stopped'),
  ]
    .filter(Boolean)
    .join(' · ')
}
