/** Sizes and durations in a line of text; figures keep their columns. */
import { useFormat } from '@/i18n/format'

/** A size: `1.5 GB`, with the exact number of bytes on hover. */
export function Bytes({ value }: { value: number | null | undefined }) {
  const format = useFormat()
  return (
    <span className="numeric nowrap" title={value == null ? undefined : `${format.number(value)} B`}>
      {format.bytes(value)}
    </span>
  )
}

/** A length of time: `1 h 04 min`. */
export function Duration({ seconds }: { seconds: number | null | undefined }) {
  const format = useFormat()
  return <span className="numeric nowrap">{format.duration(seconds)}</span>
}
