/** A page whose subject can not be shown: where it belongs, what happened, and the way back. */
import { useTranslation } from 'react-i18next'
import { ErrorPanel } from './error-panel'
import { LinkButton } from './link-button'
import { PageHeader } from './page-header'
import { ApiError } from '@/api/errors'

interface Props {
  error: unknown
  /** The list that the subject belongs to. */
  list: { label: string; to: string }
  onRetry: () => void
}

export function PageFailure({ error, list, onRetry }: Props) {
  const { t } = useTranslation()
  // What is gone does not come back by asking again.
  const gone = error instanceof ApiError && error.status < 500
  return (
    <>
      <PageHeader title={list.label} />
      <ErrorPanel
        error={error}
        onRetry={gone ? undefined : onRetry}
        action={
          <LinkButton type="primary" to={list.to}>
            {t('general.backTo', { place: list.label })}
          </LinkButton>
        }
      />
    </>
  )
}
