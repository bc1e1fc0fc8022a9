/** The texts that were asked, and below each what every model says of it. */
import { Alert, Spin } from 'antd'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { PredictionView } from './prediction-view'
import type { Result, Round } from './use-predictions'
import { useFormat } from '@/i18n/format'

/** Of many texts each shows its likeliest labels only. */
const MOST_LABELS = { one: 20, many: 3 }

interface Props {
  round: Round
  names: readonly (string | undefined)[]
}

export function Rounds({ round, names }: Props) {
  const { t } = useTranslation()
  const { texts, results } = round
  const most = texts.length > 1 ? MOST_LABELS.many : MOST_LABELS.one
  return (
    <section aria-label={t('playground.labels.results')} aria-live="polite">
      <div className="playground-columns">
        {results.map((result, column) => (
          <div key={column}>
            <Summary result={result} name={names[column]} />
          </div>
        ))}
        {texts.map((text, n) => (
          <Fragment key={n}>
            <div className="playground-question">{text}</div>
            {results.map((result, column) => {
              const prediction = result?.said?.predictions[n]
              return (
                <div key={column}>
                  <div className="playground-name secondary">{names[column]}</div>
                  {result?.said && prediction && (
                    <PredictionView
                      kind={result.said.kind}
                      numLabels={result.said.num_labels}
                      prediction={prediction}
                      most={most}
                    />
                  )}
                </div>
              )
            })}
          </Fragment>
        ))}
      </div>
    </section>
  )
}

function Summary({ result, name }: { result: Result | null; name: string | undefined }) {
  const { t } = useTranslation()
  const format = useFormat()
  if (!result) return name ? <span className="secondary">{t('playground.notAsked')}</span> : null
  if (result.state === 'waiting') {
    return <Spin size="small" description={t('playground.waiting')} />
  }
  if (result.error) {
    return (
      <Alert
        type="error"
        showIcon
        role="alert"
        title={result.error.message}
        description={result.error.hint || undefined}
      />
    )
  }
  const said = result.said
  if (!said) return null
  const texts = t('playground.labels.texts', { count: said.predictions.length })
  return (
    <span className="playground-facts secondary numeric">
      <span className="visually-hidden">{name}: </span>
      {`${texts} · ${t('playground.labels.took', { value: format.number(said.seconds * 1000, 0) })}`}
    </span>
  )
}
