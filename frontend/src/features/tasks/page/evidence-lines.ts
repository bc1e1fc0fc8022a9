/** Which lines of a log show a failure best: what was said last before it ended, without the way there. */
import type { Schemas } from '@/api/client'

type Line = Pick<Schemas['LogLine'], 'id' | 'number' | 'level' | 'text'>

const MOST = 4
/** Lines of a traceback that only tell the way through the program. */
const WAY = /^\s*(File "|\^+|~|Traceback \(|The above exception|During handling|[\^~\s]+$)/

const says = ({ text, level }: Line) => level === 'error' && text.trim() !== '' && !WAY.test(text) && !text.startsWith('    ')

/** `last`: the id of the line that shows it, as the server knows it; the lines come oldest first. */
export function evidenceOf<T extends Line>(lines: readonly T[], last: string | null): T[] {
  const end = last === null ? -1 : lines.findIndex(({ id }) => id === last)
  const until = end < 0 ? lines : lines.slice(0, end + 1)
  const found = until.filter(says)
  // Where nothing was marked as an error, the last words have to do.
  const told = found.length > 0 ? found : until.filter(({ text }) => text.trim() !== '')
  return told.slice(-MOST)
}
