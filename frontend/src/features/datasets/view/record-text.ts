/** Reading canonical records, whose shape depends on the kind of data. Pure. */

export interface Turn {
  role: string
  content: string
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Text as it is; anything else as JSON on one line. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined) return ''
  return JSON.stringify(value)
}

/** What a turn says: its text, and below it each tool it calls, as `name(arguments)`. */
function spoken({ content, tool_calls }: Record<string, unknown>): string {
  const calls = Array.isArray(tool_calls) ? tool_calls.map(callText) : []
  return [asText(content ?? ''), ...calls].filter((part) => part !== '').join('\n')
}

function callText(call: unknown): string {
  const called = isObject(call) && isObject(call.function) ? call.function : null
  if (typeof called?.name !== 'string') return asText(call)
  return `${called.name}(${asText(called.arguments)})`
}

function turnsOf(value: unknown): Turn[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const turns = value.map((item) =>
    isObject(item) && typeof item.role === 'string'
      ? { role: item.role, content: spoken(item) }
      : null,
  )
  return turns.every((turn) => turn !== null) ? turns : null
}

/**
 * A record as a conversation: its messages, or prompt and completion as user and assistant (each
 * may itself be a list of messages); null when it is neither.
 */
export function conversationOf(record: Record<string, unknown>): Turn[] | null {
  const messages = turnsOf(record.messages)
  if (messages) return messages
  if (record.prompt === undefined || record.completion === undefined) return null
  const turns: Turn[] = []
  if (typeof record.system === 'string' && record.system) {
    turns.push({ role: 'system', content: record.system })
  }
  turns.push(...(turnsOf(record.prompt) ?? [{ role: 'user', content: asText(record.prompt) }]))
  turns.push(
    ...(turnsOf(record.completion) ?? [{ role: 'assistant', content: asText(record.completion) }]),
  )
  return turns
}

/**
 * The record without the importer's notes: its `meta` (line, columns that were not used). The rows
 * of a file that still needs a mapping are the file's own: a column of that name stays.
 */
export function withoutNotes(record: Record<string, unknown>): Record<string, unknown> {
  if (!isObject(record.meta) || typeof record.meta.line !== 'number') return record
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== 'meta'))
}

/** The columns of a table of records, in the order in which they first occur. */
export function columnsOf(records: readonly Record<string, unknown>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))]
}

/** A value for a cell: lists of messages as `role: text` lines. */
export function cellText(value: unknown): string {
  const turns = turnsOf(value)
  if (turns) return turns.map(({ role, content }) => `${role}: ${content}`).join('\n')
  return asText(value)
}
