/** Two columns with a model each, the shared questions, and the box to ask the next. */
import { ClearOutlined, EditOutlined, RedoOutlined } from '@ant-design/icons'
import { Button, Checkbox, Flex } from 'antd'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Target } from './api'
import { PROMPT_ID, PromptBox } from './prompt-box'
import { Samples } from './samples'
import { SettingsPanel } from './settings-panel'
import { load, save } from './stored'
import { Turns } from './turns'
import { useConversation } from './use-conversation'
import { useFollow } from './use-follow'
import { WorkerState } from './worker-state'

interface Props {
  columns: readonly (Target | undefined)[]
  /** The choice of models above the columns. */
  heads: ReactNode
}

export function SideBySide({ columns, heads }: Props) {
  const { t } = useTranslation()
  const [stored] = useState(load)
  const suggested = columns.find((target) => target?.system_prompt)?.system_prompt ?? ''
  const [settings, setSettings] = useState(stored.settings)
  const [draft, setDraft] = useState(stored.draft)
  const [marked, setMarked] = useState(false)
  const talk = useConversation(stored.turns, columns, settings, settings.system ?? suggested)
  const end = useRef<HTMLDivElement>(null)
  // These read one text at a time: nobody is who, and nothing was said before.
  const translates = columns.every((target) => !target || target.purpose === 'seq2seq')

  useEffect(() => {
    save({ turns: talk.turns, settings, draft })
  })
  useFollow(end, talk.turns)

  function send(text: string): void {
    talk.ask(text.trim())
    setDraft('')
  }

  /** Back into the box, to be put in other words or shortened. */
  function edit(): void {
    setDraft(talk.turns.at(-1)?.user ?? '')
    talk.withdraw()
    document.getElementById(PROMPT_ID)?.focus()
  }

  const begun = talk.turns.length > 0
  return (
    <>
      <SettingsPanel
        settings={settings}
        suggested={suggested}
        withSystem={!translates}
        onChange={(next) => setSettings({ ...settings, ...next })}
      />
      {heads}
      {begun ? (
        <Turns turns={talk.turns} names={columns.map((each) => each?.name)} marked={marked} />
      ) : (
        <Samples onChoose={send} translates={translates} />
      )}
      <Flex gap={8} align="center" wrap style={{ margin: '12px 0 8px' }}>
        <WorkerState busy={talk.busy} />
        <span style={{ flex: 1 }} />
        {begun && columns.every(Boolean) && (
          <Checkbox checked={marked} onChange={({ target }) => setMarked(target.checked)}>
            {t('playground.mark')}
          </Checkbox>
        )}
        <Button
          size="small"
          icon={<EditOutlined />}
          disabled={talk.busy || !begun}
          onClick={edit}
        >
          {t('playground.edit')}
        </Button>
        <Button
          size="small"
          icon={<RedoOutlined />}
          disabled={talk.busy || !begun}
          onClick={talk.again}
        >
          {t('playground.again')}
        </Button>
        <Button size="small" icon={<ClearOutlined />} disabled={!begun} onClick={talk.clear}>
          {t('playground.clear')}
        </Button>
      </Flex>
      <PromptBox
        value={draft}
        onChange={setDraft}
        onSend={() => send(draft)}
        onStop={talk.stop}
        busy={talk.busy}
        disabled={!columns.some(Boolean)}
      />
      <div ref={end} />
    </>
  )
}
