/** Text from the clipboard as a file, with the ending that its content calls for. */

const LOOKED_AT = 20

const parses = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

/** Whether every line has the same number of separators, and at least one. */
function isTable(lines: string[], separator: string): boolean {
  const counts = new Set(lines.map((line) => line.split(separator).length))
  return lines.length > 1 && counts.size === 1 && !counts.has(1)
}

export function endingOf(text: string): 'jsonl' | 'json' | 'tsv' | 'csv' | 'txt' {
  const lines = text.split(/\r?\n/).filter((line) => line.trim())
  const first = lines.slice(0, LOOKED_AT)
  if (first.length && first.every((line) => line.trim().startsWith('{') && parses(line))) return 'jsonl'
  if (/^\s*[[{]/.test(text) && parses(text)) return 'json'
  if (isTable(first, '\t')) return 'tsv'
  if (isTable(first, ',')) return 'csv'
  return 'txt'
}

/** The file, or null when there is nothing but white space. */
export function pastedFile(text: string, name: string): File | null {
  if (!text.trim()) return null
  return new File([text], `${name}.${endingOf(text)}`, { type: 'text/plain' })
}
