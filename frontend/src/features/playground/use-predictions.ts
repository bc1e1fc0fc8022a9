/** Asks every column for classes or scores of the same texts; each answers for itself. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { classify, workerQuery, type ClassifyRequest, type Predictions, type Target } from './api'
import { failureText } from './failure-text'
import { idOf, keyOf } from './targets'
import type { Schemas } from '@/api/client'
import { ApiError, errorSentence } from '@/api/errors'

/** What one model said, or why it did not. */
export interface Result {
  state: 'waiting' | 'done' | 'failed'
  said?: Predictions
  error?: { message: string; hint: string }
}

export interface Round {
  texts: string[]
  /** Whose results these are: another model that is chosen later has none. */
  keys: (string | null)[]
  results: (Result | null)[]
}

/** The texts as one model reads them: a scoring one has the words of its own system prompt. */
export type Ask = (target: Target) => Pick<ClassifyRequest, 'texts' | 'conversations'>

export function usePredictions(columns: readonly (Target | undefined)[]) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [asked, setRound] = useState<Round | null>(null)
  const running = useRef<AbortController | null>(null)

  useEffect(() => () => running.current?.abort(), [])

  function settle(column: number, result: Result): void {
    setRound((before) =>
      before && {
        ...before,
        results: before.results.map((each, n) => (n === column ? result : each)),
      },
    )
  }

  async function answer(column: number, target: Target, ask: Ask, stopped: AbortSignal) {
    try {
      const said = await classify({ ...idOf(target), ...ask(target), top: 20 }, stopped)
      if (!stopped.aborted) settle(column, { state: 'done', said })
    } catch (error) {
      if (stopped.aborted) return
      const told =
        error instanceof ApiError && error.code === 'NoPrediction'
          ? failureText(t, error.params as unknown as Schemas['PlaygroundError'])
          : { message: errorSentence(t, error), hint: '' }
      settle(column, { state: 'failed', error: told })
    }
  }

  const keys = columns.map((target) => (target ? keyOf(target) : null))
  const round = asked && {
    ...asked,
    results: asked.results.map((result, n) => (asked.keys[n] === keys[n] ? result : null)),
  }
  return {
    round,
    busy: Boolean(round?.results.some((each) => each?.state === 'waiting')),
    ask(texts: string[], how: Ask) {
      running.current?.abort()
      const stopper = new AbortController()
      running.current = stopper
      setRound({ texts, keys, results: columns.map((each) => (each ? { state: 'waiting' } : null)) })
      const answers = columns.map((target, n) => target && answer(n, target, how, stopper.signal))
      void client.invalidateQueries({ queryKey: workerQuery().queryKey })
      void Promise.allSettled(answers).then(() =>
        client.invalidateQueries({ queryKey: workerQuery().queryKey }),
      )
    },
    clear() {
      running.current?.abort()
      setRound(null)
    },
  }
}
