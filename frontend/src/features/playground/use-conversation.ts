/** Asks every column at once and gathers what streams back. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useReducer, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { generate, workerQuery, type Target } from './api'
import { messagesFor, parametersOf, reduce, type Settings, type Turn } from './conversation'
import { failureText } from './failure-text'
import { idOf } from './targets'
import type { Schemas } from '@/api/client'
import { errorSentence } from '@/api/errors'
import type { ServerEvent } from '@/api/event-stream'

export interface Conversation {
  turns: Turn[]
  busy: boolean
  ask: (text: string) => void
  again: () => void
  stop: () => void
  /** Takes the last question back, with its answers. */
  withdraw: () => void
  clear: () => void
}

export function useConversation(
  initial: Turn[],
  columns: readonly (Target | undefined)[],
  settings: Settings,
  system: string,
): Conversation {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [turns, change] = useReducer(reduce, initial)
  const running = useRef<AbortController | null>(null)
  const busy = Boolean(
    turns.at(-1)?.answers.some((each) => each?.state === 'waiting' || each?.state === 'streaming'),
  )

  useEffect(() => () => running.current?.abort(), [])

  function take(column: number, events: ServerEvent[]): boolean {
    let ended = false
    let text = ''
    for (const { type, data } of events) {
      if (type === 'token') text += (JSON.parse(data) as { text: string }).text
      else if (type === 'done') {
        if (text) change({ type: 'text', column, text })
        text = ''
        ended = true
        change({ type: 'done', column, done: JSON.parse(data) as Schemas['PlaygroundDone'] })
      } else if (type === 'error') {
        const error = JSON.parse(data) as Schemas['PlaygroundError']
        ended = true
        change({ type: 'failed', column, ...failureText(t, error) })
      }
    }
    if (text) change({ type: 'text', column, text })
    return ended
  }

  async function answer(column: number, target: Target, asked: Turn[], stopped: AbortSignal) {
    const who = idOf(target)
    const messages = messagesFor(target, asked, column, system)
    try {
      let ended = false
      const body = { ...parametersOf(settings), ...who, messages } as Schemas['PlaygroundRequest']
      for await (const events of generate(body, stopped)) ended = take(column, events) || ended
      if (!ended) throw new TypeError('the stream ended early')
    } catch (error) {
      if (stopped.aborted) change({ type: 'stopped', column })
      else if (error instanceof TypeError) {
        change({ type: 'failed', column, message: t('playground.cut'), hint: t('playground.cutHint') })
      } else change({ type: 'failed', column, message: errorSentence(t, error), hint: '' })
    }
  }

  function start(asked: Turn[]): void {
    const stopper = new AbortController()
    running.current?.abort()
    running.current = stopper
    const answers = columns.map((target, column) =>
      target ? answer(column, target, asked, stopper.signal) : undefined,
    )
    void client.invalidateQueries({ queryKey: workerQuery().queryKey })
    void Promise.allSettled(answers).then(() =>
      client.invalidateQueries({ queryKey: workerQuery().queryKey }),
    )
  }

  return {
    turns,
    busy,
    ask(text) {
      const chosen = columns.flatMap((target, n) => (target ? [n] : []))
      const action = { type: 'ask', text, columns: chosen } as const
      change(action)
      start(reduce(turns, action))
    },
    again() {
      change({ type: 'again' })
      start(reduce(turns, { type: 'again' }))
    },
    stop: () => running.current?.abort(),
    withdraw: () => change({ type: 'withdraw' }),
    clear() {
      running.current?.abort()
      change({ type: 'clear' })
    },
  }
}
