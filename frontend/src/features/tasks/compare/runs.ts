/** Which runs are compared: their ids in the address, in the order in which they stand. */
export const MAX_COMPARED = 10

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Ids as they came, each once, not more than fit; what is no id is left out. */
export const parseIds = (text: string): string[] =>
  [...new Set(text.split(',').map((each) => each.trim()))].filter((each) => ID.test(each)).slice(0, MAX_COMPARED)

/**
 * A colour for each run that stays its own while others come and go: who is new takes the first that
 * is free. `before`: what they had until now.
 */
export function colourPlaces(ids: readonly string[], before: ReadonlyMap<string, number>): Map<string, number> {
  const kept = new Map([...before].filter(([id]) => ids.includes(id)))
  for (const id of ids) {
    if (kept.has(id)) continue
    const taken = new Set(kept.values())
    let place = 0
    while (taken.has(place)) place += 1
    kept.set(id, place)
  }
  return kept
}

/** Names that tell runs apart: two of the same name get a number. */
export function distinctNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return names.filter((each) => each === name).length > 1 ? `${name} (${count})` : name
  })
}
