/** Two columns with a model each, the shared questions, and the box to ask the next. */
import { ClearOutlined, RedoOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Badge, Button, Flex, Select } from 'antd'
import { Fragment, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { AnswerView } from './answer-view'
import { workerQuery, type Target } from './api'
import { PromptBox } from './prompt-box'
import { SettingsPanel } from './settings-panel'
import { load, save } from './stored'
import { columnsOf, keyOf } from './targets'
import './playground.css'
import { useConversation } from './use-conversation'
import { useSearchState } from '@/components/use-search-state'

export function SideBySide({ targets }: { targets: Target[] }) {
  const { t } = useTranslation()
  const [stored] = useState(load)
  const [{ task }, setSearch] = useSearchState({ task: '' })
  const [chosen, setChosen] = useState(stored.columns)
  const columns = columnsOf(targets, chosen, task || null)
  const suggested = columns[0]?.system_prompt ?? ''
  const [own, setOwn] = useState(stored.settings)
  const [draft, setDraft] = useState(stored.draft)
  const talk = useConversation(stored.turns, columns, own)
  const end = useRef<HTMLDivElement>(null)
  const keys = columns.map((target) => (target ? keyOf(target) : null))

  useEffect(() => {
    save({ turns: talk.turns, settings: own, columns: keys, draft })
  })
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' })
  }, [talk.turns])

  function choose(column: number, key: string | null): void {
    setChosen(keys.map((before, n) => (n === column ? key : before)))
    setSearch({ task: '' })
  }

  function send(): void {
    talk.ask(draft.trim())
    setDraft('')
  }

  return (
    <>
      <SettingsPanel settings={own} onChange={(next) => setOwn({ ...own, ...next })} />
      {suggested && suggested !== own.system && (
        <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => setOwn({ ...own, system: suggested })}>
          {t('playground.useSystem')}
        </Button>
      )}
      <div className="playground-columns" style={{ marginBottom: 8 }}>
        {columns.map((target, column) => (
          <Select
            key={column}
            showSearch={{ optionFilterProp: 'label' }}
            allowClear={column > 0}
            value={target ? keyOf(target) : undefined}
            placeholder={t('playground.choose')}
            aria-label={t('playground.column', { number: column + 1 })}
            onChange={(key: string | undefined) => choose(column, key ?? null)}
            options={groups(targets, t('playground.tuned'), t('playground.base'))}
          />
        ))}
      </div>
      <div className="playground-columns" role="log" aria-live="off" aria-label={t('playground.title')}>
        {talk.turns.map((turn, n) => (
          <Fragment key={n}>
            <div className="playground-question">{turn.user}</div>
            {columns.map((_, column) => (
              <AnswerView key={column} answer={turn.answers[column]} />
            ))}
          </Fragment>
        ))}
      </div>
      {talk.turns.length === 0 && (
        <p className="secondary" style={{ margin: '24px 0', textAlign: 'center' }}>
          {t('playground.begin')}
        </p>
      )}
      <div ref={end} />
      <Flex gap={8} align="center" style={{ margin: '12px 0 8px' }}>
        <WorkerState />
        <span style={{ flex: 1 }} />
        <Button
          size="small"
          icon={<RedoOutlined />}
          disabled={talk.busy || talk.turns.length === 0}
          onClick={talk.again}
        >
          {t('playground.again')}
        </Button>
        <Button
          size="small"
          icon={<ClearOutlined />}
          disabled={talk.turns.length === 0}
          onClick={talk.clear}
        >
          {t('playground.clear')}
        </Button>
      </Flex>
      <PromptBox
        value={draft}
        onChange={setDraft}
        onSend={send}
        onStop={talk.stop}
        busy={talk.busy}
        disabled={!columns.some(Boolean)}
      />
    </>
  )
}

function groups(targets: Target[], tuned: string, base: string) {
  const of = (kind: Target['kind']) =>
    targets
      .filter((target) => target.kind === kind)
      .map((target) => ({ value: keyOf(target), label: target.name }))
  return [
    { label: tuned, options: of('tuned') },
    { label: base, options: of('base') },
  ].filter(({ options }) => options.length > 0)
}

const BADGE = { stopped: 'default', starting: 'processing', ready: 'success', busy: 'processing' } as const

function WorkerState() {
  const { t } = useTranslation()
  const { data } = useQuery(workerQuery())
  if (!data) return null
  return <Badge status={BADGE[data.state]} text={t(`playground.worker.${data.state}`)} />
}
