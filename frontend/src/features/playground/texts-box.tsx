/** Where the texts are written. Ctrl+Enter (⌘ Enter) asks; Enter breaks the line. */
import { ThunderboltOutlined } from '@ant-design/icons'
import { Button, Flex, Input, Switch } from 'antd'
import type { KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { Draft } from './texts'

interface Props {
  draft: Draft
  onChange: (next: Partial<Draft>) => void
  onAsk: () => void
  /** A question comes before the answers that are scored. */
  scores: boolean
  disabled: boolean
  busy: boolean
  /** Why these texts can not be asked, in words. */
  trouble: string | null
}

export function TextsBox({ draft, onChange, onAsk, scores, disabled, busy, trouble }: Props) {
  const { t } = useTranslation()
  const can = !disabled && !trouble && draft.text.trim() !== ''
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    if (can) onAsk()
  }
  const label = scores ? t('playground.labels.answer') : t('playground.labels.text')
  return (
    <Flex vertical gap={8}>
      {scores && (
        <label>
          {t('playground.labels.question')}
          <Input.TextArea
            value={draft.question}
            autoSize={{ minRows: 1, maxRows: 6 }}
            onChange={({ target }) => onChange({ question: target.value })}
            onKeyDown={onKeyDown}
          />
        </label>
      )}
      <label>
        {label}
        <Input.TextArea
          value={draft.text}
          autoSize={{ minRows: draft.lines ? 6 : 3, maxRows: 16 }}
          status={trouble ? 'error' : ''}
          placeholder={t(draft.lines ? 'playground.labels.linesHelp' : 'playground.labels.textHelp')}
          onChange={({ target }) => onChange({ text: target.value })}
          onKeyDown={onKeyDown}
        />
      </label>
      {trouble && <span role="alert">{trouble}</span>}
      <Flex gap={16} align="center" wrap justify="space-between">
        <Flex gap={8} align="center">
          <Switch
            id="one-per-line"
            size="small"
            checked={draft.lines}
            onChange={(lines) => onChange({ lines })}
          />
          <label htmlFor="one-per-line">
            {t(scores ? 'playground.labels.linesOfAnswers' : 'playground.labels.lines')}
          </label>
        </Flex>
        <Button
          type="primary"
          icon={<ThunderboltOutlined />}
          disabled={!can}
          loading={busy}
          onClick={onAsk}
        >
          {t(scores ? 'playground.labels.score' : 'playground.labels.classify')}
        </Button>
      </Flex>
    </Flex>
  )
}
