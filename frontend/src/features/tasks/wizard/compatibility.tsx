/** Whether model and data fit each other, and if not, why and where to put it right. */
import { CheckCircleFilled, LoadingOutlined } from '@ant-design/icons'
import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'
import { findingText } from './texts'
import type { Wizard } from './use-wizard'
import { paths, withQuery } from '@/app/paths'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { useFormat } from '@/i18n/format'

export function CompatibilityNote({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { compatibility, checking, compatibilityFailure } = wizard.plan
  const { dataset_id, model_id } = wizard.state.values
  if (checking) {
    return (
      <p role="status" className="secondary">
        <LoadingOutlined aria-hidden /> {t('wizard.sources.checking')}
      </p>
    )
  }
  if (compatibilityFailure) return <ErrorPanel {...compatibilityFailure} />
  if (!compatibility || !dataset_id) return null
  const { ok, problems } = compatibility
  if (ok && problems.length === 0) {
    return (
      <p role="status" className="fits">
        <CheckCircleFilled aria-hidden /> {t('wizard.sources.fits')}
      </p>
    )
  }
  const model = wizard.models?.find(({ id }) => id === model_id)
  return (
    <Alert
      showIcon
      role="status"
      type={ok ? 'warning' : 'error'}
      title={t(ok ? 'wizard.sources.fits' : 'wizard.sources.unfit')}
      description={
        <>
          <ul className="findings">
            {problems.map((each) => (
              <li key={each.code}>{findingText(t, format, each)}</li>
            ))}
          </ul>
          <LinkButton size="small" to={paths.dataset(dataset_id)}>
            {t('wizard.sources.openDataset')}
          </LinkButton>{' '}
          {model && (
            <LinkButton size="small" to={withQuery(paths.models, { q: model.name })}>
              {t('wizard.sources.openModel')}
            </LinkButton>
          )}
        </>
      }
    />
  )
}
