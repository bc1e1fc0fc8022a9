/** Search over the whole log: text or pattern, k of n, next and previous; a bad pattern says why. */
import { DownOutlined, SearchOutlined, UpOutlined } from '@ant-design/icons'
import { Button, Flex, Form, Input, Tooltip } from 'antd'
import { useEffect, useEffectEvent, useState, type KeyboardEvent, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import type { LogSearch } from './log-state'
import type { LogSearchView } from './use-log-search'
import { ApiError, errorSentence } from '@/api/errors'
import { useFormat } from '@/i18n/format'

const TYPING_MS = 350

interface Props {
  search: LogSearch
  found: LogSearchView
  fieldRef: RefObject<HTMLInputElement | null>
  onSearch: (next: Partial<LogSearch>) => void
  /** Back to the lines. */
  onLeave: () => void
}

export function SearchBox({ search, found, fieldRef, onSearch, onLeave }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const [text, setText] = useState(search.q)
  const [shownQ, setShownQ] = useState(search.q)
  if (shownQ !== search.q) {
    // The address changed by another way: a link, a chip.
    setShownQ(search.q)
    setText(search.q)
  }

  function commit(next: Partial<LogSearch>): void {
    const { q = text } = next
    setShownQ(q)
    setText(q)
    onSearch({ ...next, q })
  }
  const afterTyping = useEffectEvent(() => text !== search.q && commit({}))
  useEffect(() => {
    const timer = setTimeout(() => afterTyping(), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Enter') {
      event.preventDefault()
      if (text !== search.q) commit({})
      else found.step(event.shiftKey ? 'previous' : 'next')
    } else if (event.key === 'Escape') {
      if (text) event.stopPropagation()
      commit({ q: '' })
      onLeave()
    }
  }

  const toggle = (name: 'matchCase' | 'regex' | 'only', sign: string) => (
    <Tooltip title={t(`logs.search.${name}`)}>
      <Button
        size="small"
        type={search[name] ? 'primary' : 'text'}
        aria-pressed={search[name]}
        aria-label={t(`logs.search.${name}`)}
        onClick={() => commit({ [name]: !search[name] })}
        className="log-toggle"
      >
        {sign}
      </Button>
    </Tooltip>
  )
  const wrong = found.error === undefined ? undefined : wordsOf(found.error)
  const places =
    found.matched === null
      ? wrong
        ? ''
        : t('logs.search.counting')
      : found.index === null
        ? t('logs.search.matches', { count: found.matched, shown: format.number(found.matched) })
        : t('logs.search.place', { index: format.number(found.index), matched: format.number(found.matched) })

  function wordsOf(error: unknown): string {
    const reason = error instanceof ApiError && error.code === 'BadPattern' ? error.params.reason : undefined
    return reason === undefined ? errorSentence(t, error) : t('logs.search.badPattern', { reason: String(reason) })
  }

  return (
    <Form.Item className="log-search" validateStatus={wrong ? 'error' : undefined} help={wrong} htmlFor="log-search">
      <Flex gap={4} align="center">
        <Input
          id="log-search"
          // The field itself, for the keys that lead here.
          ref={(input) => {
            fieldRef.current = input?.input ?? null
          }}
          prefix={<SearchOutlined aria-hidden />}
          suffix={
            <Flex gap={2}>
              {toggle('matchCase', 'Aa')}
              {toggle('regex', '.*')}
              {toggle('only', '≡')}
            </Flex>
          }
          allowClear
          maxLength={500}
          value={text}
          placeholder={t('logs.search.placeholder')}
          aria-label={t('logs.search.placeholder')}
          aria-invalid={wrong !== undefined}
          onChange={({ target }) => (target.value === '' ? commit({ q: '' }) : setText(target.value))}
          onKeyDown={onKeyDown}
        />
        {search.q && (
          <>
            <span className="secondary numeric nowrap log-places" role="status">
              {places}
              {!found.complete && found.matched !== null && <Tooltip title={t('logs.search.partial')}>{' *'}</Tooltip>}
            </span>
            {(['previous', 'next'] as const).map((direction) => (
              <Tooltip key={direction} title={t(`logs.search.${direction}`)}>
                <Button
                  size="small"
                  type="text"
                  icon={direction === 'next' ? <DownOutlined /> : <UpOutlined />}
                  aria-label={t(`logs.search.${direction}`)}
                  disabled={!found.matched}
                  onClick={() => found.step(direction)}
                />
              </Tooltip>
            ))}
          </>
        )}
      </Flex>
    </Form.Item>
  )
}
