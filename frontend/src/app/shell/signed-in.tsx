/** The gate: pages behind it are for signed-in users; others go to set-up or sign-in and return. */
import { useQuery } from '@tanstack/react-query'
import { Modal } from 'antd'
import { useTranslation } from 'react-i18next'
import { Navigate, useLocation } from 'react-router'
import { paths, withQuery } from '../paths'
import { Frame } from './frame'
import { ApiError } from '@/api/errors'
import { useSessionExpired } from '@/api/session'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { meQuery, setupStatusQuery } from '@/features/accounts/api'
import { SignInForm } from '@/features/accounts/sign-in-form'

export function SignedIn() {
  const { t } = useTranslation()
  const location = useLocation()
  const expired = useSessionExpired()
  const me = useQuery(meQuery())
  const visitor = me.error instanceof ApiError && me.error.status === 401 && !me.data
  const setup = useQuery({ ...setupStatusQuery(), enabled: visitor })

  if (me.data) {
    return (
      <>
        <Frame me={me.data} />
        <Modal
          open={expired}
          title={t('shell.expired.title')}
          footer={null}
          closable={false}
          keyboard={false}
          mask={{ closable: false }}
          width={400}
          destroyOnHidden
        >
          <p className="secondary">{t('shell.expired.detail')}</p>
          <SignInForm username={me.data.username} />
        </Modal>
      </>
    )
  }
  if (visitor && setup.data) {
    if (setup.data.needs_setup) return <Navigate to={paths.setup} replace />
    const here = location.pathname + location.search + location.hash
    const next = here === paths.overview ? undefined : here
    return <Navigate to={withQuery(paths.login, { next })} replace />
  }
  const error = visitor ? setup.error : me.error
  return (
    <main className="page">
      {error ? (
        <ErrorPanel error={error} onRetry={() => void (visitor ? setup : me).refetch()} />
      ) : (
        <DelayedSkeleton />
      )}
    </main>
  )
}
