/** Exponential moving average with bias correction (as in Adam): the first values are not pulled to 0. */

/** `weight` 0 (as it is) to <1; null (NaN, infinity) stays a gap and does not spoil what follows. */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values]
  let average = 0
  let seen = 0
  return values.map((value) => {
    if (value === null) return null
    average = average * weight + value * (1 - weight)
    seen += 1
    return average / (1 - weight ** seen)
  })
}
