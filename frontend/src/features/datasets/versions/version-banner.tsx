/** Says that an earlier version is looked at, and leads back. */
import { Alert, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import type { ShownVersion } from './use-shown-version'
import { useSearchState } from '@/components/use-search-state'

export function VersionBanner({ shown, current }: { shown: ShownVersion; current: number }) {
  const { t } = useTranslation()
  const [, set] = useSearchState({ version: '', page: '1', open: '', rows: '', split: '' })
  const number = shown.earlier ?? shown.missing
  if (number === null) return null
  const gone = shown.missing !== null
  return (
    <Alert
      type={gone ? 'warning' : 'info'}
      showIcon
      role="status"
      style={{ marginBottom: 16 }}
      title={t(gone ? 'datasets.versions.gone' : 'datasets.versions.looking', { version: number })}
      action={
        <Button
          size="small"
          onClick={() => set({ version: '', page: '1', open: '', rows: '', split: '' })}
        >
          {t('datasets.versions.backToCurrent', { version: current })}
        </Button>
      }
    />
  )
}
