/** The page's state outlives a reload: kept for this tab, forgotten with it. */
import { defaultSettings, type Settings, type Turn } from './conversation'

const KEY = 'easytune.playground'

export interface Stored {
  turns: Turn[]
  settings: Settings
  /** Target keys of the columns. */
  columns: (string | null)[]
  draft: string
}

export const empty: Stored = { turns: [], settings: defaultSettings, columns: [], draft: '' }

export function load(): Stored {
  try {
    const text = sessionStorage.getItem(KEY)
    if (!text) return empty
    const found = JSON.parse(text) as Partial<Stored>
    const stored = { ...empty, ...found, settings: { ...defaultSettings, ...found.settings } }
    // What streamed while the page was left has no end any more.
    const turns = stored.turns.map((turn) => ({
      ...turn,
      answers: turn.answers.map((answer) =>
        answer && (answer.state === 'waiting' || answer.state === 'streaming')
          ? { ...answer, state: 'stopped' as const }
          : answer,
      ),
    }))
    return { ...stored, turns }
  } catch {
    return empty
  }
}

/** Keeps what changed; the rest stays as it was. */
export function save(changed: Partial<Stored>): void {
  try {
    const before = JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Partial<Stored>
    sessionStorage.setItem(KEY, JSON.stringify({ ...before, ...changed }))
  } catch {
    // Storage is full or forbidden: the page works, it only forgets.
  }
}
