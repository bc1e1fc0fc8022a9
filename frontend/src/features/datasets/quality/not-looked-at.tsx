/** What the search for near duplicates left out, and why: without it, “nothing was found” says too much. */
import { useTranslation } from 'react-i18next'
import type { Hygiene } from './api'
import { SectionTitle } from './section-title'
import { useFormat } from '@/i18n/format'

const isSample = ({ near_compared_rows: compared, examined_rows: all }: Hygiene) =>
  compared > 0 && compared < all

/** Whether there are rows in which something may be that was not looked for. */
export const hasBlindSpot = (hygiene: Hygiene): boolean =>
  isSample(hygiene) || Boolean(hygiene.near_framed_rows) || Boolean(hygiene.near_left_out_rows)

export function NotLookedAt({ hygiene }: { hygiene: Hygiene }) {
  const { t } = useTranslation()
  const format = useFormat()
  if (!hasBlindSpot(hygiene)) return null
  const { near_compared_rows: compared, near_framed_rows: framed, near_left_out_rows: leftOut } = hygiene
  return (
    <section>
      <SectionTitle>{t('datasets.quality.notLookedAt')}</SectionTitle>
      <ul className="not-looked-at secondary numeric">
        {isSample(hygiene) && <li>{t('datasets.quality.nearSample', { n: format.number(compared) })}</li>}
        {framed ? <li>{t('datasets.quality.framed', { count: framed })}</li> : null}
        {leftOut ? <li>{t('datasets.quality.leftOut', { count: leftOut })}</li> : null}
      </ul>
    </section>
  )
}
