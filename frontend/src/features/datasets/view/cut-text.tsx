/** Text as text, never as markup: what was searched for is marked, what is long is cut. */
import { Button } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { excerptOf, highlighted } from './highlight'
import { useFormat } from '@/i18n/format'

interface Props {
  text: string
  query?: string | undefined
  /** Characters that are shown before somebody asks for all. */
  limit?: number
}

export function Marked({ text, query = '' }: Pick<Props, 'text' | 'query'>) {
  if (!query) return text
  return highlighted(text, query).map((piece, n) =>
    piece.hit ? <mark key={n}>{piece.text}</mark> : piece.text,
  )
}

const GAP = '…'

export function CutText({ text, query = '', limit = 3000 }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const [all, setAll] = useState(false)
  const shown = all ? { text, before: false, after: false } : excerptOf(text, query, limit)
  return (
    <>
      {shown.before && GAP}
      <Marked text={shown.text} query={query} />
      {shown.after && GAP}
      {(all || shown.before || shown.after) && (
        <Button type="link" size="small" className="show-all" onClick={() => setAll(!all)}>
          {all ? t('general.collapse') : t('datasets.rowView.showAll', { n: format.number(text.length) })}
        </Button>
      )}
    </>
  )
}
