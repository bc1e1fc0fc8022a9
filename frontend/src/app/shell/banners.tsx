/** What holds for the whole page: no answer from the server, no encryption. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { probeNow, useReachable } from '@/api/connection'
import { setupStatusQuery } from '@/features/accounts/api'

export function Banners() {
  const { t } = useTranslation()
  const reachable = useReachable()
  const { data: server } = useQuery(setupStatusQuery())
  return (
    <div aria-live="polite" className="banners">
      {!reachable && (
        <Alert
          banner
          type="warning"
          title={
            <>
              <strong>{t('shell.offline.title')}</strong> {t('shell.offline.detail')}
            </>
          }
          action={
            <Button size="small" onClick={probeNow}>
              {t('shell.offline.retry')}
            </Button>
          }
        />
      )}
      {server?.insecure_http && <Alert banner type="warning" title={t('shell.insecure')} />}
    </div>
  )
}
