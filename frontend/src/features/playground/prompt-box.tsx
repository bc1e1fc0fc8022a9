/** Where the question is written. Enter sends, Shift+Enter breaks the line. */
import { SendOutlined, StopOutlined } from '@ant-design/icons'
import { Button, Flex, Input } from 'antd'
import type { KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'

interface Props {
  value: string
  onChange: (value: string) => void
  onSend: () => void
  onStop: () => void
  busy: boolean
  disabled: boolean
}

export function PromptBox({ value, onChange, onSend, onStop, busy, disabled }: Props) {
  const { t } = useTranslation()
  const canSend = !busy && !disabled && value.trim() !== ''
  function onKeyDown(event: KeyboardEvent): void {
    // While an input method composes, Enter chooses a character.
    const composing = event.nativeEvent.isComposing || event.keyCode === 229 // the latter: Safari
    if (event.key !== 'Enter' || event.shiftKey || composing) return
    event.preventDefault()
    if (canSend) onSend()
  }
  return (
    <Flex gap={8} align="flex-end">
      <Input.TextArea
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
        autoSize={{ minRows: 2, maxRows: 8 }}
        placeholder={t('playground.prompt')}
        aria-label={t('playground.prompt')}
      />
      {busy ? (
        <Button icon={<StopOutlined />} onClick={onStop}>
          {t('playground.stop')}
        </Button>
      ) : (
        <Button type="primary" icon={<SendOutlined />} disabled={!canSend} onClick={onSend}>
          {t('playground.send')}
        </Button>
      )}
    </Flex>
  )
}
