/** Reading canonical records, whose shape depends on the kind of data. Pure. */

/** A tool that a turn calls; `args` as it came: an object, or the text of one. */
export interface Call {
  name: string
  args: unknown
}

export interface Turn {
  role: string
  content: string
  calls?: Call[]
  /** Who speaks, or which tool answers. */
  name?: string
  /** The record keeps this turn out of the loss. */
  untrained?: boolean
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Text as it is; anything else as JSON on one line. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined) return ''
  return JSON.stringify(value)
}

function callOf(call: unknown): Call | null {
  const called = isObject(call) && isObject(call.function) ? call.function : null
  return typeof called?.name === 'string' ? { name: called.name, args: called.arguments } : null
}

function turnOf(item: Record<string, unknown>, role: string): Turn {
  const listed = Array.isArray(item.tool_calls) ? item.tool_calls : []
  const calls = listed.map(callOf).filter((call) => call !== null)
  // What is no call as we know it is shown all the same.
  const odd = listed.filter((call) => callOf(call) === null).map(asText)
  return {
    role,
    content: [asText(item.content ?? ''), ...odd].filter((part) => part !== '').join('\n'),
    ...(calls.length > 0 && { calls }),
    ...(typeof item.name === 'string' && { name: item.name }),
    ...(item.train === false && { untrained: true }),
  }
}

/** A list of messages as turns; null when it is something else. */
export function turnsOf(value: unknown): Turn[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const turns = value.map((item) =>
    isObject(item) && typeof item.role === 'string' ? turnOf(item, item.role) : null,
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

/** What a turn says in one text: below it each tool it calls, as `name(arguments)`. */
function spoken({ content, calls = [] }: Turn): string {
  const called = calls.map(({ name, args }) => `${name}(${asText(args)})`)
  return [content, ...called].filter((part) => part !== '').join('\n')
}

/** A value for a cell: lists of messages as `role: text` lines. */
export function cellText(value: unknown): string {
  const turns = turnsOf(value)
  if (turns) return turns.map((turn) => `${turn.role}: ${spoken(turn)}`).join('\n')
  return asText(value)
}
