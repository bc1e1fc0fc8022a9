/** Counts as bars with their figures: a chart that is its own table. */
import { Fragment } from 'react'
import { useFormat } from '@/i18n/format'

interface Props {
  label: string
  items: { name: string; count: number }[]
}

export function Bars({ label, items }: Props) {
  const format = useFormat()
  const most = Math.max(1, ...items.map(({ count }) => count))
  /** What is little is not nothing. */
  const share = (part: number) => format.percent(part, part < 0.01 ? 1 : 0)
  const total = items.reduce((sum, { count }) => sum + count, 0) || 1
  return (
    <dl className="bars numeric" aria-label={label}>
      {items.map(({ name, count }) => (
        <Fragment key={name}>
          <dt title={name}>{name}</dt>
          <dd>
            <span className="bar" aria-hidden style={{ width: `${(count / most) * 100}%` }} />
            <span>
              {format.number(count)}{' '}
              <span className="secondary">{share(count / total)}</span>
            </span>
          </dd>
        </Fragment>
      ))}
    </dl>
  )
}
