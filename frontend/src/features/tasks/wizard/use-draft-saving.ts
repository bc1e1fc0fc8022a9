/** Keeps the draft on the server up to date with what is on the screen. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { deleteDraft, draftCalls, draftListQuery } from './api'
import { draftOf } from './draft-document'
import { DraftSaver, type DraftBody, type SaveState } from './draft-saver'
import type { WizardState } from './state'
import { useReachable } from '@/api/connection'
import { useSessionExpired } from '@/api/session'

interface Options {
  id: string | null
  state: WizardState
  step: number
  onCreated: (id: string) => void
}

export interface DraftSaving {
  state: SaveState
  /** Why it was not saved. */
  error: unknown
  /** Saves now, before something that must not be lost. */
  flush: (state: WizardState) => Promise<void>
  /** The draft has become a task. */
  discard: () => Promise<void>
}

export function useDraftSaving({ id, state, step, onCreated }: Options): DraftSaving {
  const queries = useQueryClient()
  const [saveState, setSaveState] = useState<SaveState>(id ? 'saved' : 'idle')
  const [error, setError] = useState<unknown>(null)
  const [saver] = useState(() => new DraftSaver(draftCalls, id))
  const { queryKey } = draftListQuery()
  const known = useRef(id)

  const heard = useEffectEvent((next: SaveState, draft: string | null, cause: unknown) => {
    setSaveState(next)
    setError(cause)
    if (next !== 'saved') return
    void queries.invalidateQueries({ queryKey, exact: true })
    if (draft !== null && draft !== known.current) {
      known.current = draft
      onCreated(draft)
    }
  })
  useEffect(() => saver.listen((next, draft, cause) => heard(next, draft, cause)), [saver])

  const body = JSON.stringify({ values: draftOf(state), step })
  const last = useRef(body)
  // Opening the wizard makes no draft; the first change does.
  const dirty = state.edits > 0 || saveState !== 'idle'
  useEffect(() => {
    if (!dirty || body === last.current) return
    last.current = body
    saver.change(JSON.parse(body) as DraftBody)
  }, [saver, body, dirty])

  // What could not be saved while nobody answered or nobody was signed in is saved right after.
  const away = !useReachable()
  const expired = useSessionExpired()
  useEffect(() => {
    if (!away && !expired) void saver.flush()
  }, [saver, away, expired])

  useEffect(() => {
    const leave = () => {
      if (document.visibilityState === 'hidden') void saver.flush()
    }
    document.addEventListener('visibilitychange', leave)
    return () => {
      document.removeEventListener('visibilitychange', leave)
      void saver.flush()
    }
  }, [saver])

  return {
    state: saveState,
    error,
    flush: async (now) => {
      saver.change({ values: draftOf(now), step })
      await saver.flush()
    },
    discard: async () => {
      await saver.stop()
      // A draft that stays behind expires by itself: the task is what counts.
      if (saver.id) await deleteDraft(saver.id).catch(() => undefined)
      await queries.invalidateQueries({ queryKey, exact: true })
    },
  }
}
