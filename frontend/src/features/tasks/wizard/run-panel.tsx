/** "Your run": what is left to do and what the run will take, in view on every step. */
import { CheckCircleFilled, ExclamationCircleFilled } from '@ant-design/icons'
import { Button, Card, Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'
import { EstimateView } from './estimate-view'
import { Findings } from './findings'
import { RISK } from './left'
import { QueueFields } from './queue-fields'
import type { Wizard } from './use-wizard'
import { ApiError } from '@/api/errors'
import { ErrorPanel } from '@/components/error-panel'

function Readiness({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { left, dispatch, goTo } = wizard
  if (left.length === 0) {
    return (
      <p role="status" className="fits">
        <CheckCircleFilled aria-hidden /> {t('wizard.run.ready')}
      </p>
    )
  }
  return (
    <>
      <p role="status" className="left-count">
        <ExclamationCircleFilled aria-hidden /> {t('wizard.run.left', { count: left.length })}
      </p>
      <ul className="left-list">
        {left.map(({ key, step, field, text }) => (
          <li key={key}>
            <Button
              type="link"
              size="small"
              disabled={step > wizard.furthest}
              onClick={() => {
                if (field) dispatch({ type: 'touch', fields: [field] })
                goTo(step, field || undefined)
              }}
            >
              {text}
            </Button>
          </li>
        ))}
      </ul>
    </>
  )
}

export function RunPanel({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { estimate, estimating, estimateError } = wizard.plan
  // What the server refuses stands in the list above; a failure of its own is shown as such.
  const failure = estimateError instanceof ApiError && estimateError.status < 500 ? null : estimateError
  return (
    <Card
      size="small"
      className="run-panel"
      role="complementary"
      aria-label={t('wizard.run.title')}
      title={t('wizard.run.title')}
      extra={
        <span role="status" className="secondary">
          {estimating && t('wizard.run.estimating')}
        </span>
      }
    >
      <Readiness wizard={wizard} />
      {failure ? <ErrorPanel error={failure} /> : null}
      {estimate ? (
        <>
          <EstimateView estimate={estimate} />
          {/* The review has them in full. */}
          {wizard.step < 3 && <Findings findings={estimate.warnings.filter(({ code }) => code !== RISK)} warningsOnly />}
        </>
      ) : (
        !failure &&
        !estimateError &&
        (wizard.left.length === 0 ? (
          <Skeleton active title={false} paragraph={{ rows: 4 }} />
        ) : (
          <p className="secondary">{t('wizard.run.later')}</p>
        ))
      )}
      {wizard.step === 3 && <QueueFields wizard={wizard} />}
    </Card>
  )
}
