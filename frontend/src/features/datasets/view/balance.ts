/** Whether some labels are so much rarer than others that a model learns to ignore them. Pure. */

export interface BalanceHint {
  most: string
  least: string
  /** How many times as often the first is there. */
  times: number
}

/** More labels than classes usually are: figures, of which each is rare. */
const MOST_CLASSES = 50
/** From so many times on it is worth a word. */
const NOTEWORTHY = 5

export function balanceHint(labels: readonly { label: string; count: number }[]): BalanceHint | null {
  const there = labels.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count)
  const [most, least] = [there[0], there.at(-1)]
  if (!most || !least || there.length < 2 || there.length > MOST_CLASSES) return null
  const times = Math.round(most.count / least.count)
  return times >= NOTEWORTHY ? { most: most.label, least: least.label, times } : null
}
