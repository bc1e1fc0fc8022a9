/** Texts that are sorted or scored: one, or one per line. */
import type { ClassifyRequest, Message, Target } from './api'

/** What the server takes at once. */
export const MOST_TEXTS = 256

export interface Draft {
  text: string
  /** What the scored text answers. */
  question: string
  lines: boolean
}

export const emptyDraft: Draft = { text: '', question: '', lines: false }

export function textsOf({ text, lines }: Draft): string[] {
  const each = lines ? text.split('\n') : [text]
  return each.map((one) => one.trim()).filter(Boolean)
}

/** For a model that scores answers: each text answers the question. */
export function conversationsOf(
  texts: readonly string[],
  question: string,
  { system_prompt: system }: Target,
): NonNullable<ClassifyRequest['conversations']> {
  const before: Message[] = system ? [{ role: 'system', content: system }] : []
  return texts.map((text) => [
    ...before,
    { role: 'user', content: question.trim() },
    { role: 'assistant', content: text },
  ])
}

const KEY = 'easytune.playground.texts'

export function loadDraft(): Draft {
  try {
    return { ...emptyDraft, ...(JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Partial<Draft>) }
  } catch {
    return emptyDraft
  }
}

export function saveDraft(draft: Draft): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(draft))
  } catch {
    // Storage is full or forbidden: the page works, it only forgets.
  }
}
