/** Writes plain data as YAML: mappings, lists of plain values, texts quoted where YAML needs it. */
type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain }

// Texts that YAML would read as something else, or that hold characters with a meaning.
const PLAIN_TEXT = /^[\p{L}_][\p{L}\p{N} _./-]*$/u
const RESERVED = /^(true|false|yes|no|on|off|null|y|n)$/i

function scalar(value: string | number | boolean | null): string {
  // YAML 1.1 reads `2e-7` as a text: a number in that form needs its point.
  if (typeof value === 'number') return String(value).replace(/^(-?\d+)e/, '$1.0e')
  if (typeof value !== 'string') return String(value)
  const plain = PLAIN_TEXT.test(value) && !RESERVED.test(value) && !value.endsWith(' ')
  return plain ? value : JSON.stringify(value)
}

export function toYaml(data: { [key: string]: Plain }, indent = ''): string {
  return Object.entries(data)
    .map(([key, value]) => {
      if (Array.isArray(value)) {
        return `${indent}${key}: [${value.map((each) => JSON.stringify(each)).join(', ')}]\n`
      }
      if (typeof value === 'object' && value !== null) {
        return `${indent}${key}:\n${toYaml(value, `${indent}  `)}`
      }
      return `${indent}${key}: ${scalar(value)}\n`
    })
    .join('')
}
