/** The facts of a data set in one line each. */
import { Descriptions, Tooltip, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { HubFacts } from './hub/hub-facts'
import type { Schemas } from '@/api/client'
import { Bytes } from '@/components/quantities'
import { RelativeTime } from '@/components/relative-time'
import { useFormat } from '@/i18n/format'

/** Never parted between two lines. */
const WHOLE = { whiteSpace: 'nowrap' } as const
/** Parted between words only. */
const WORDS = { overflowWrap: 'normal' } as const

export function DatasetFacts({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { record_type: type, format: fileFormat, sha256 } = dataset
  const items = [
    {
      key: 'rows',
      label: t('datasets.rows'),
      children: <span className="numeric">{format.number(dataset.num_rows)}</span>,
    },
    {
      key: 'type',
      label: t('datasets.recordType'),
      children: (
        <span style={WORDS}>{type ? t(`datasets.recordTypes.${type}`) : t('general.unknown')}</span>
      ),
    },
    ...(dataset.objectives.length > 0
      ? [
          {
            key: 'objectives',
            label: t('datasets.usableFor'),
            children: format.list(dataset.objectives.map((each) => t(`tasks.objectives.${each}`))),
          },
        ]
      : []),
    // What was made of other versions has no format, and what was made of other data sets no file.
    ...(fileFormat || dataset.status !== 'ready'
      ? [
          {
            key: 'format',
            label: t('datasets.format'),
            children: (
              <span style={WORDS}>
                {fileFormat
                  ? t(`datasets.formats.${fileFormat}` as 'datasets.format', {
                      defaultValue: fileFormat,
                    })
                  : t('general.unknown')}
              </span>
            ),
          },
        ]
      : []),
    ...(dataset.filename
      ? [
          {
            key: 'file',
            label: t('datasets.file'),
            children: (
              <span style={{ overflowWrap: 'anywhere' }}>
                {dataset.files.length > 1 ? (
                  <Tooltip title={format.list(dataset.files.map((each) => each.filename))}>
                    <span>{t('datasets.files', { count: dataset.files.length })}</span>
                  </Tooltip>
                ) : (
                  dataset.filename
                )}{' '}
                <span style={WHOLE}>
                  <Bytes value={dataset.size_bytes} />
                </span>
                {dataset.encoding && (
                  <>
                    {' · '}
                    <span style={WHOLE}>{dataset.encoding}</span>
                  </>
                )}
              </span>
            ),
          },
        ]
      : []),
    ...(dataset.source
      ? [{ key: 'from', label: t('hubs.from'), children: <HubFacts source={dataset.source} /> }]
      : []),
    {
      key: 'version',
      label: t('datasets.version'),
      children: (
        <>
          {dataset.version}
          {sha256 && (
            <Typography.Text
              className="mono"
              type="secondary"
              copyable={{
                text: sha256,
                tooltips: [`${t('general.copy')}: ${sha256}`, t('general.copied')],
              }}
              style={{ ...WHOLE, marginInlineStart: 8 }}
            >
              {sha256.slice(0, 12)}
            </Typography.Text>
          )}
        </>
      ),
    },
    {
      key: 'created',
      label: t('general.created'),
      children: <RelativeTime at={dataset.created_at} />,
    },
  ]
  return (
    <Descriptions
      size="small"
      column={{ xs: 1, sm: 1, md: 2, xl: 3 }}
      items={items}
      style={{ marginBottom: 8 }}
    />
  )
}
