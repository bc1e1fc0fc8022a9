/** Sign-in; returns to the page that was asked for. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Navigate, useSearchParams } from 'react-router'
import { meQuery, setupStatusQuery } from './api'
import { localTarget } from './local-target'
import { SignInForm } from './sign-in-form'
import { paths } from '@/app/paths'
import { PageHeader } from '@/components/page-header'

export function LoginPage() {
  const { t } = useTranslation()
  const [search] = useSearchParams()
  const me = useQuery(meQuery())
  const setup = useQuery(setupStatusQuery())
  if (me.data && !me.error) return <Navigate to={localTarget(search.get('next'))} replace />
  if (setup.data?.needs_setup) return <Navigate to={paths.setup} replace />
  return (
    <>
      <PageHeader title={t('accounts.signIn.title')} purpose={t('accounts.signIn.purpose')} />
      <SignInForm />
    </>
  )
}
