/** The inside of the jump search: a combobox over a grouped list. */
import { SearchOutlined } from '@ant-design/icons'
import { Input, type InputRef } from 'antd'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useJumpTargets, type JumpTarget } from './use-jump-targets'

const LIST_ID = 'jump-list'

export function JumpPanel({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const input = useRef<InputRef>(null)
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(0)
  const groups = useJumpTargets(query)
  const targets = groups.flatMap((group) => group.targets)
  const current = Math.min(chosen, Math.max(0, targets.length - 1))

  useEffect(() => {
    // After the dialog has taken the focus.
    const timer = setTimeout(() => input.current?.focus(), 50)
    return () => clearTimeout(timer)
  }, [])

  useEffect(() => {
    document.getElementById(`${LIST_ID}-${current}`)?.scrollIntoView({ block: 'nearest' })
  }, [current])

  const go = (target: JumpTarget | undefined) => {
    if (!target) return
    onDone()
    void navigate(target.to)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return // Enter ends the input of a Chinese word
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step && targets.length) {
      event.preventDefault()
      setChosen((current + step + targets.length) % targets.length)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      go(targets[current])
    }
  }

  return (
    <>
      <Input
        ref={input}
        size="large"
        variant="borderless"
        prefix={<SearchOutlined />}
        placeholder={t('shell.jump.placeholder')}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
        role="combobox"
        aria-label={t('shell.jump.title')}
        aria-expanded
        aria-controls={LIST_ID}
        aria-activedescendant={targets.length ? `${LIST_ID}-${current}` : undefined}
        style={{ padding: '12px 16px' }}
      />
      <div
        id={LIST_ID}
        role="listbox"
        aria-label={t('shell.jump.title')}
        className="jump-list"
        style={{ borderTop: '1px solid var(--ant-color-border-secondary)' }}
      >
        {groups.map((group) => (
          <div key={group.name} role="group" aria-label={t(`shell.jump.groups.${group.name}`)}>
            <div className="jump-group" aria-hidden>
              {t(`shell.jump.groups.${group.name}`)}
            </div>
            {group.targets.map((target) => {
              const at = targets.indexOf(target)
              return (
                // The keys of the list are those of the combobox above; a mouse may click.
                // eslint-disable-next-line jsx-a11y/click-events-have-key-events
                <div
                  key={target.key}
                  id={`${LIST_ID}-${at}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={at === current}
                  className="jump-option"
                  onMouseMove={() => setChosen(at)}
                  onClick={() => go(target)}
                >
                  <span>{target.label}</span>
                  {target.detail && <span className="secondary">{target.detail}</span>}
                </div>
              )
            })}
          </div>
        ))}
      </div>
      <div className="jump-hint secondary" style={{ padding: '8px 16px', fontSize: 12 }}>
        <span role="status">
          {targets.length === 0 && query
            ? t('shell.jump.nothing', { query })
            : t('shell.jump.results', { count: targets.length })}
        </span>
        {' · '}
        {t('shell.jump.hint')}
      </div>
    </>
  )
}
