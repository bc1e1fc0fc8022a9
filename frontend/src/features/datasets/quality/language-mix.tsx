/** In which languages the rows are written, as far as that can be said. */
import { useTranslation } from 'react-i18next'
import type { Hygiene } from './api'
import { SectionTitle } from './section-title'
import { Bars } from '../view/bars'
import { useFormat } from '@/i18n/format'

export function LanguageMix({ hygiene }: { hygiene: Hygiene }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { languages, language_rows: looked, examined_rows: all } = hygiene
  if (languages.length === 0) return null
  const name = (tag: string) =>
    tag === 'und' ? t('datasets.quality.noLanguage') : format.languageName(tag)
  return (
    <section>
      <SectionTitle>{t('datasets.quality.languages')}</SectionTitle>
      {looked > 0 && looked < all && (
        <p className="secondary">{t('datasets.quality.languageSample', { n: format.number(looked) })}</p>
      )}
      <Bars
        label={t('datasets.quality.languages')}
        items={languages.map(({ language, rows }) => ({ name: name(language), count: rows }))}
      />
    </section>
  )
}
