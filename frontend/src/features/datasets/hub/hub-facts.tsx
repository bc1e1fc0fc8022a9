/** Where a data set of a hub comes from, to the commit. */
import { Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '@/api/client'

export function HubFacts({ source }: { source: Schemas['DatasetSource'] }) {
  const { t } = useTranslation()
  const { kind, reference, subset, split, commit } = source
  const part = [subset, split].filter(Boolean).join(' / ')
  const notes = [
    source.num_files > 1 && t('hubs.files', { count: source.num_files }),
    source.converted && t('hubs.converted'),
    source.partial && t('hubs.partial'),
    source.left_out.length > 0 && t('hubs.leftOut', { files: source.left_out.join(', ') }),
  ].filter((note) => note !== false)
  return (
    <span style={{ overflowWrap: 'anywhere' }}>
      {t(`hubs.names.${kind}`)} · {reference}
      {part && ` · ${part}`}
      {commit && (
        <Typography.Text
          className="mono"
          type="secondary"
          copyable={{ text: commit, tooltips: [commit, t('general.copied')] }}
          style={{ marginInlineStart: 8 }}
        >
          {commit.slice(0, 12)}
        </Typography.Text>
      )}
      {notes.map((note) => (
        <div key={note} className="secondary">
          {note}
        </div>
      ))}
    </span>
  )
}
