/** What differs between two states of a row, field by field. Pure. */
import { cellText, withoutNotes } from '../view/record-text'
import { differences, type Piece } from '@/components/differences'

export interface FieldDiff {
  name: string
  before: Piece[]
  after: Piece[]
}

const plain = (text: string): Piece[] => (text ? [{ text, own: false }] : [])
const allOwn = (text: string): Piece[] => (text ? [{ text, own: true }] : [])

/** `extra` of the notes is what the file had beside the record: it may be all that has changed. */
function fieldsOf(record: Record<string, unknown>): Record<string, unknown> {
  const { meta } = record as { meta?: { extra?: unknown } }
  const extra = meta?.extra
  return { ...withoutNotes(record), ...(extra ? { extra } : {}) }
}

/** Fields that say something else in both rows, each with the words that are its own marked. */
export function changedFields(before: Record<string, unknown>, after: Record<string, unknown>): FieldDiff[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])]
  return names.flatMap((name) => {
    const [a, b] = [cellText(old[name]), cellText(now[name])]
    if (a === b) return []
    if (!(name in old)) return [{ name, before: [], after: allOwn(b) }]
    if (!(name in now)) return [{ name, before: allOwn(a), after: [] }]
    const [left, right] = differences(a, b) ?? [plain(a), plain(b)]
    return [{ name, before: left, after: right }]
  })
}

/** `3-2` of the address: version 3 against version 2; null for anything else. */
export function comparedIn(text: string): { version: number; against: number } | null {
  const found = /^([1-9]\d{0,8})-([1-9]\d{0,8})$/.exec(text)
  if (!found || found[1] === found[2]) return null
  return { version: Number(found[1]), against: Number(found[2]) }
}
