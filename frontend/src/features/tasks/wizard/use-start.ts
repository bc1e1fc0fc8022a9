/** Creating the task: once, whatever is clicked how often and however the network behaves. */
import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { rememberTask, type Task } from '../api'
import { createTask, estimateQuery } from './api'
import { knobNamed } from './knobs'
import { fieldOf } from './left'
import type { Sent, WizardAction, WizardState } from './state'
import { refusalText } from './texts'
import type { DraftSaving } from './use-draft-saving'
import { bodyOf, emptyValues, type TaskCreate } from './values'
import { newIdempotencyKey } from '@/api/client'
import { ApiError } from '@/api/errors'
import { paths } from '@/app/paths'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

const WAIT_MS = 1000
const TRIES = 5

const KNOWN = new Set(Object.keys(emptyValues()))
const isField = (field: string) =>
  field.startsWith('hyperparameters.')
    ? Boolean(knobNamed(field.slice(16)))
    : KNOWN.has(field.split('.')[0] ?? '')

/** Asks again while the first of two equal requests is still being worked on. */
async function create(body: TaskCreate, key: string): Promise<Task> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await createTask(body, key)
    } catch (error) {
      const busy = error instanceof ApiError && error.code === 'RequestInProgress'
      if (!busy || left <= 1) throw error
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS))
    }
  }
}

interface Options {
  state: WizardState
  dispatch: (action: WizardAction) => void
  saving: DraftSaving
  riskAccepted: boolean
  goToField: (field: string) => void
}

export function useStart({ state, dispatch, saving, riskAccepted, goToField }: Options) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const showError = useShowError()
  const format = useFormat()
  const [starting, setStarting] = useState(false)
  const busy = useRef(false) // two clicks may come before the next rendering

  function refuse(error: unknown): void {
    const errors = error instanceof ApiError ? error.errors : []
    if (error instanceof ApiError && error.code === 'MemoryWillNotFit') {
      // Less memory is free than when it was estimated: the review says what would fit now.
      void queries.invalidateQueries({ queryKey: estimateQuery(null).queryKey.slice(0, 2) })
      showError(error)
      return
    }
    const fields = errors
      .map((each) => [fieldOf(each.pointer), refusalText(t, format, each)] as const)
      .filter(([field]) => isField(field))
    const first = fields[0]
    if (!first) {
      showError(error)
      return
    }
    dispatch({ type: 'refused', fields: Object.fromEntries(fields) })
    goToField(first[0])
  }

  async function start(): Promise<void> {
    const body = bodyOf(state.values, riskAccepted)
    if (!body || busy.current) return
    busy.current = true
    setStarting(true)
    try {
      // The same request keeps its key: if the answer was lost, the retry finds the first task.
      const text = JSON.stringify(body)
      const sent: Sent =
        state.sent?.body === text ? state.sent : { key: newIdempotencyKey(), body: text }
      dispatch({ type: 'sending', sent })
      await saving.flush({ ...state, sent })
      const task = await create(body, sent.key)
      await saving.discard()
      rememberTask(queries, task)
      await navigate(paths.task(task.id), { replace: true })
    } catch (error) {
      refuse(error)
    } finally {
      busy.current = false
      setStarting(false)
    }
  }

  return { start, starting }
}
