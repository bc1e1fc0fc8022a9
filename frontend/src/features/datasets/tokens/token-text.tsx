/** A sample token by token: what is learnt is marked and underlined, what was cut is struck out. */
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { runsOf, visible, type Run } from './token-runs'
import type { Schemas } from '@/api/client'

const ELEMENT = { read: 'span', trained: 'mark', cut: 'del' } as const

export const TokenText = memo(function TokenText({
  sample,
}: {
  sample: Schemas['RenderedSample']
}) {
  return (
    // A keyboard must be able to scroll what is longer than the box.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="token-text mono" tabIndex={0}>
      {runsOf(sample).map((run, index) => (
        <Piece key={index} run={run} />
      ))}
    </div>
  )
})

function Piece({ run: { kind, tokens } }: { run: Run }) {
  const { t } = useTranslation()
  const Element = ELEMENT[kind]
  return (
    <Element className={`run-${kind}`}>
      {tokens.map(({ id, text, terminator }, index) => (
        <span
          key={index}
          className={terminator ? 'token token-end' : 'token'}
          title={t(terminator ? 'datasets.tokens.endHint' : 'datasets.tokens.idHint', { id })}
        >
          {visible(text)}
        </span>
      ))}
    </Element>
  )
}

export function TokenLegend() {
  const { t } = useTranslation()
  return (
    <p className="token-legend secondary">
      <mark className="run-trained">{t('datasets.tokens.trained')}</mark>
      <span className="run-read">{t('datasets.tokens.read')}</span>
      <mark className="run-trained">
        <span className="token token-end">{t('datasets.tokens.end')}</span>
      </mark>
      <del className="run-cut">{t('datasets.tokens.cut')}</del>
      <span>{t('datasets.tokens.signs')}</span>
    </p>
  )
}
