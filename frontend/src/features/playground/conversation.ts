/** Conversations side by side: the user's turns are shared, every column has its own answers. */
import type { GenerateRequest, Message, Target } from './api'
import type { Schemas } from '@/api/client'

export const COLUMNS = 2

export interface Answer {
  text: string
  state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed'
  done?: Schemas['PlaygroundDone']
  error?: { message: string; hint: string }
}

export interface Turn {
  user: string
  answers: (Answer | null)[]
}

export interface Settings {
  /** null: that of the data which the model was tuned on. */
  system: string | null
  temperature: number
  maxNewTokens: number
  topP: number
  seed: number | null
}

export const defaultSettings: Settings = {
  system: null,
  temperature: 0,
  maxNewTokens: 256,
  topP: 1,
  seed: null,
}

export type Change =
  | { type: 'ask'; text: string; columns: number[] }
  | { type: 'text'; column: number; text: string }
  | { type: 'done'; column: number; done: Schemas['PlaygroundDone'] }
  | { type: 'failed'; column: number; message: string; hint: string }
  | { type: 'stopped'; column: number }
  | { type: 'again' }
  | { type: 'withdraw' }
  | { type: 'clear' }

const waiting = (): Answer => ({ text: '', state: 'waiting' })

function answered(turns: Turn[], column: number, change: (before: Answer) => Answer): Turn[] {
  const last = turns.at(-1)
  const before = last?.answers[column]
  if (!last || !before) return turns
  const answers = last.answers.map((answer, n) => (n === column ? change(before) : answer))
  return [...turns.slice(0, -1), { ...last, answers }]
}

const isOpen = ({ state }: Answer) => state === 'waiting' || state === 'streaming'

/** All changes concern the last turn. */
export function reduce(turns: Turn[], change: Change): Turn[] {
  switch (change.type) {
    case 'ask': {
      const answers = Array.from({ length: COLUMNS }, (_, n) =>
        change.columns.includes(n) ? waiting() : null,
      )
      return [...turns, { user: change.text, answers }]
    }
    case 'text':
      return answered(turns, change.column, (before) =>
        isOpen(before)
          ? { ...before, text: before.text + change.text, state: 'streaming' }
          : before,
      )
    case 'done':
      return answered(turns, change.column, (before) => ({
        ...before,
        state: change.done.finish_reason === 'cancelled' ? 'stopped' : 'done',
        done: change.done,
      }))
    case 'failed':
      return answered(turns, change.column, (before) => ({
        ...before,
        state: 'failed',
        error: { message: change.message, hint: change.hint },
      }))
    case 'stopped':
      return answered(turns, change.column, (before) =>
        isOpen(before) ? { ...before, state: 'stopped' } : before,
      )
    case 'again': {
      const last = turns.at(-1)
      if (!last) return turns
      const answers = last.answers.map((answer) => answer && waiting())
      return [...turns.slice(0, -1), { ...last, answers }]
    }
    case 'withdraw':
      return turns.slice(0, -1)
    case 'clear':
      return []
  }
}

/** What the model of one column has heard and said, up to the last question. */
export function messagesOf(turns: readonly Turn[], column: number, system: string): Message[] {
  const messages: Message[] = system.trim() ? [{ role: 'system', content: system.trim() }] : []
  turns.forEach(({ user, answers }, n) => {
    const answer = answers[column]
    const open = n === turns.length - 1
    // A turn that this column did not answer never happened for it.
    if (!open && !answer?.text) return
    messages.push({ role: 'user', content: user })
    if (!open && answer) messages.push({ role: 'assistant', content: answer.text })
  })
  return messages
}

/** The same for a model: one that turns texts into others reads the last text and nothing else. */
export function messagesFor(
  { purpose }: Target,
  turns: readonly Turn[],
  column: number,
  system: string,
): Message[] {
  return purpose === 'seq2seq'
    ? messagesOf(turns.slice(-1), column, '')
    : messagesOf(turns, column, system)
}

/** The request's parameters. */
export function parametersOf(settings: Settings): Partial<GenerateRequest> {
  return {
    temperature: settings.temperature,
    max_new_tokens: settings.maxNewTokens,
    top_p: settings.topP,
    ...(settings.seed !== null && { seed: settings.seed }),
  }
}
