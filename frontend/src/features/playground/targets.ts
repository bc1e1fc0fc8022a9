/** Which models stand side by side: a tuned one, and the base it came from. */
import type { Target } from './api'

export const keyOf = ({ kind, id }: Target) => `${kind}:${id}`

/**
 * The two columns: what was chosen and still exists, else the wanted (or newest) tuned model with
 * its base beside it, else the first base model alone.
 */
export function columnsOf(
  targets: readonly Target[],
  chosen: readonly (string | null)[],
  wantedTask: string | null,
): (Target | undefined)[] {
  const find = (key: string | null | undefined) => targets.find((each) => keyOf(each) === key)
  const wanted = targets.find(({ kind, id }) => kind === 'tuned' && id === wantedTask)
  const kept = chosen.map(find)
  if (kept.some(Boolean) && (!wanted || kept.includes(wanted))) return [kept[0], kept[1]]
  const tuned = wanted ?? targets.find(({ kind }) => kind === 'tuned')
  if (!tuned) return [targets[0], undefined]
  return [tuned, find(`base:${tuned.base_id}`)]
}
