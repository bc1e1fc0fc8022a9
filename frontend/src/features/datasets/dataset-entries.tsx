/** The data sets that a `dataset_info.json` made of one upload, and why there are not more. */
import { Alert, Collapse, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'

type Entry = Schemas['DatasetEntry']

export function DatasetEntries({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const made = dataset.entries.filter(({ dataset_id }) => dataset_id !== null)
  const refused = dataset.entries.filter(({ refusal }) => refusal !== null)
  if (dataset.entries.length === 0) return null
  return (
    <Alert
      type="info"
      showIcon
      style={{ marginBottom: 16 }}
      title={t('datasets.entries.title', { count: made.length })}
      description={
        <Flex vertical gap={8}>
          <ul style={{ margin: 0, paddingInlineStart: 20 }}>
            {made.map((entry) => (
              <li key={entry.name}>
                <Made entry={entry} self={dataset.id} />
              </li>
            ))}
          </ul>
          {refused.length > 0 && (
            <Collapse
              ghost
              size="small"
              items={[
                {
                  key: 'refused',
                  label: t('datasets.entries.refused', { count: refused.length }),
                  children: <Refused entries={refused} />,
                },
              ]}
            />
          )}
        </Flex>
      }
    />
  )
}

function Made({ entry, self }: { entry: Entry; self: string }) {
  const { t } = useTranslation()
  const { name, dataset_id, warnings } = entry
  return (
    <>
      {dataset_id === self || dataset_id === null ? (
        <span>
          {name} ({t('datasets.entries.this')})
        </span>
      ) : (
        <Link to={paths.dataset(dataset_id)}>{name}</Link>
      )}
      {warnings.length > 0 && <span className="secondary"> {warnings.join(' ')}</span>}
    </>
  )
}

function Refused({ entries }: { entries: Entry[] }) {
  return (
    <ul style={{ margin: 0, paddingInlineStart: 20, maxHeight: 240, overflowY: 'auto' }}>
      {entries.map(({ name, refusal }) => (
        <li key={name}>
          {name}: <span className="secondary">{refusal}</span>
        </li>
      ))}
    </ul>
  )
}
