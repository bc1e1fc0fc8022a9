/** State that lives in the address bar, so that a link reproduces what is on the screen. */
import { useSearchParams } from 'react-router'

/**
 * Text parameters with defaults; a value equal to its default leaves the address. `set` replaces
 * the history entry, since typing in a search field is not a step to go back to.
 */
export function useSearchState<T extends Record<string, string>>(
  defaults: T,
): [T, (next: Partial<T>) => void] {
  const [search, setSearch] = useSearchParams()
  const values = Object.fromEntries(
    Object.entries(defaults).map(([key, value]) => [key, search.get(key) ?? value]),
  ) as T
  const set = (next: Partial<T>) => {
    setSearch(
      (before) => {
        const after = new URLSearchParams(before)
        for (const [key, value] of Object.entries(next)) {
          if (value === undefined || value === '' || value === defaults[key]) after.delete(key)
          else after.set(key, value)
        }
        return after
      },
      { replace: true },
    )
  }
  return [values, set]
}
