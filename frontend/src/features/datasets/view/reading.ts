/** A record as a person reads it: what is said, what was preferred, how it is judged. Pure. */
import { conversationOf, isObject, turnsOf, type Turn } from './record-text'

export interface Reading {
  turns: Turn[]
  chosen: Turn[] | null
  rejected: Turn[] | null
  text: string | null
  /** A class or a figure, several of either, or the verdict about the answer. */
  label: unknown
  /** Whether each turn of the assistant is a right step; empty where steps are not rated. */
  verdicts: boolean[]
  /** What each tool that the conversation may call is called. */
  tools: { name: string; definition: unknown }[]
}

function toolsOf(value: unknown): Reading['tools'] {
  if (!Array.isArray(value)) return []
  return value.map((definition: unknown, index) => {
    const inner = isObject(definition) && isObject(definition.function) ? definition.function : definition
    const name = isObject(inner) && typeof inner.name === 'string' ? inner.name : `#${index + 1}`
    return { name, definition }
  })
}

/** Rated steps: one verdict for each turn of the assistant. */
function verdictsOf(label: unknown, turns: readonly Turn[]): boolean[] {
  const steps = turns.filter(({ role }) => role === 'assistant').length
  if (!Array.isArray(label) || label.length !== steps) return []
  return label.every((each) => each === 0 || each === 1) ? label.map((each) => each === 1) : []
}

/** Null for a row of which nobody has said yet what its columns are. */
export function readingOf(record: Record<string, unknown>, type: string | null): Reading | null {
  const turns = conversationOf(record) ?? []
  const [chosen, rejected] = [turnsOf(record.chosen), turnsOf(record.rejected)]
  const text = typeof record.text === 'string' ? record.text : null
  if (type === null || (turns.length === 0 && !chosen && !rejected && text === null)) return null
  const verdicts = type === 'stepwise_supervision' ? verdictsOf(record.label, turns) : []
  return {
    turns,
    chosen,
    rejected,
    text,
    label: verdicts.length > 0 ? null : (record.label ?? null),
    verdicts,
    tools: toolsOf(record.tools),
  }
}
