/** Folders on the server that look like models. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { localFoldersQuery } from './api'
import { reasonText } from './reason-text'
import { useAddModel } from './use-add-model'
import type { Schemas } from '@/api/client'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { Bytes } from '@/components/quantities'

export function LocalFolderList({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(localFoldersQuery())
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton />
  if (data.roots.length === 0) {
    return (
      <Alert
        type="info"
        showIcon
        title={t('models.local.noRoots')}
        description={t('models.local.noRootsHelp')}
      />
    )
  }
  return (
    <>
      <p className="secondary">
        {t('models.local.roots')} <span className="mono">{data.roots.join(', ')}</span>
      </p>
      {data.items.length === 0 && <p>{t('models.local.none')}</p>}
      <ul style={{ margin: 0, padding: 0, listStyle: 'none', maxHeight: 360, overflowY: 'auto' }}>
        {data.items.map((folder) => (
          <FolderRow key={folder.reference} folder={folder} onDone={onDone} />
        ))}
      </ul>
    </>
  )
}

function FolderRow({ folder, onDone }: { folder: Schemas['LocalFolder']; onDone: () => void }) {
  const { t } = useTranslation()
  const adding = useAddModel()
  return (
    <li
      style={{ padding: '8px 0', borderTop: '1px solid var(--ant-color-border-secondary)' }}
    >
      <Flex justify="space-between" align="center" gap={16}>
        <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
          {folder.name} <Bytes value={folder.size_bytes} />
          <div className="secondary" style={{ fontSize: 12 }}>
            {folder.reason ? reasonText(t, folder.reason) : folder.reference}
          </div>
        </div>
        <Button
          size="small"
          // What brings a program along can be added; it waits for an administrator's consent.
          disabled={!folder.usable && folder.reason !== 'needs_code'}
          loading={adding.isPending}
          aria-label={`${t('general.add')}: ${folder.name}`}
          onClick={() =>
            adding.mutate(
              { source: 'local', reference: folder.reference },
              { onSuccess: onDone },
            )
          }
        >
          {t('general.add')}
        </Button>
      </Flex>
    </li>
  )
}
