/** What weights and shares come to in rows. Pure; the server counts exactly. */

/** Each weight's part of all, 0–1; all 0 when there is none. */
export function sharesOf(weights: readonly number[]): number[] {
  const sound = weights.map((weight) => (weight > 0 && Number.isFinite(weight) ? weight : 0))
  const sum = sound.reduce((total, weight) => total + weight, 0)
  return sound.map((weight) => (sum > 0 ? weight / sum : 0))
}

export interface MixRows {
  total: number
  rows: number[]
}

/**
 * Rows of a mixture of data sets of these sizes: until one is used up, or with `repeat` until each
 * row of every one is in it; `wanted` limits the first and decides the second. Null while a size is not
 * known.
 */
export function mixRows(
  sizes: readonly (number | null | undefined)[],
  weights: readonly number[],
  wanted: number | null | undefined,
  repeat: boolean,
): MixRows | null {
  const shares = sharesOf(weights)
  if (sizes.some((size) => size == null) || shares.some((share) => share === 0)) return null
  const ends = sizes.map((size, n) => (size ?? 0) / (shares[n] ?? 1))
  const natural = repeat ? Math.ceil(Math.max(...ends)) : Math.floor(Math.min(...ends) + 1e-9)
  const total = wanted == null ? natural : repeat ? wanted : Math.min(wanted, natural)
  return { total, rows: divided(total, shares) }
}

/** `total` rows in these shares, to the row: the largest remainders get what is left. */
export function divided(total: number, shares: readonly number[]): number[] {
  const whole = shares.map((share) => Math.floor(total * share + 1e-9))
  const left = Math.round(total * shares.reduce((a, b) => a + b, 0)) - whole.reduce((a, b) => a + b, 0)
  const order = shares
    .map((share, n) => ({ n, remainder: total * share - (whole[n] ?? 0) }))
    .sort((a, b) => b.remainder - a.remainder)
  for (const { n } of order.slice(0, Math.max(0, left))) whole[n] = (whole[n] ?? 0) + 1
  return whole
}

export interface SplitShare {
  name: string
  share: number
}

/** All parts of a split, `rest` first with what the others leave. */
export function splitShares(fractions: Record<string, number>, rest: string): SplitShare[] {
  const named = Object.entries(fractions).map(([name, share]) => ({ name, share }))
  const left = 1 - named.reduce((sum, { share }) => sum + (share > 0 ? share : 0), 0)
  const share = Math.max(0, Math.round(left * 1e9) / 1e9)
  return share > 0 ? [{ name: rest, share }, ...named] : named
}
