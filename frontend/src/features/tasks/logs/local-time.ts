/** A moment in a field of the browser: in the user's own zone, to the second. */

const two = (n: number) => String(n).padStart(2, '0')

/** ISO 8601 in UTC → what `<input type="datetime-local">` holds. */
export function forField(utc: string): string {
  const at = new Date(utc)
  if (!utc || Number.isNaN(at.getTime())) return ''
  const day = `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** The way back; empty when the field holds no moment. */
export function fromField(local: string): string {
  const at = new Date(local)
  return local && !Number.isNaN(at.getTime()) ? at.toISOString() : ''
}
