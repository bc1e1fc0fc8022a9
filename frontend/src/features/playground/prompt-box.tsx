/** Where the question is written. Enter sends, Shift+Enter breaks the line. */
import { SendOutlined, StopOutlined } from '@ant-design/icons'
import { Button, Flex, Input } from 'antd'
import type { TextAreaRef } from 'antd/es/input/TextArea'
import { useRef, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'

export const PROMPT_ID = 'playground-prompt'

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
  const box = useRef<TextAreaRef>(null)
  const canSend = !busy && !disabled && value.trim() !== ''
  /** The button that was pressed makes room for the other one: the focus goes to the box. */
  function press(action: () => void): void {
    action()
    box.current?.focus()
  }
  function onKeyDown(event: KeyboardEvent): void {
    // While an input method composes, Enter chooses a character.
    const composing = event.nativeEvent.isComposing || event.keyCode === 229 // the latter: Safari
    if (event.key !== 'Enter' || event.shiftKey || composing) return
    event.preventDefault()
    if (canSend) onSend()
  }
  return (
    <Flex gap={8} align="flex-end" justify="flex-end" wrap>
      <Input.TextArea
        ref={box}
        id={PROMPT_ID}
        style={{ flex: '1 1 240px', width: 'auto' }}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
        autoSize={{ minRows: 2, maxRows: 8 }}
        placeholder={t('playground.prompt')}
        aria-label={t('playground.prompt')}
      />
      {busy ? (
        <Button icon={<StopOutlined />} onClick={() => press(onStop)}>
          {t('playground.stop')}
        </Button>
      ) : (
        <Button type="primary" icon={<SendOutlined />} disabled={!canSend} onClick={() => press(onSend)}>
          {t('playground.send')}
        </Button>
      )}
    </Flex>
  )
}
