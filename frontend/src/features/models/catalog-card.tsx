/** A model of the catalogue: what it is, whether it can be trained here, and adding it. */
import { CheckOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Card, Flex, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { FitTag } from './fit-tag'
import { reasonText } from './reason-text'
import { useAddModel } from './use-add-model'
import type { Schemas } from '@/api/client'
import { useFormat } from '@/i18n/format'

export function CatalogCard({ entry }: { entry: Schemas['CatalogEntry'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { name, family, fit, unavailable_reason: reason } = entry
  const [owner, short] = name.includes('/') ? name.split('/') : ['', name]
  const facts = [
    t('models.parameters', { count: format.parameters(entry.num_parameters) }),
    t('models.context', { tokens: format.number(entry.context_length) }),
    entry.download_bytes > 0 &&
      t('models.catalog.download', { size: format.bytes(entry.download_bytes) }),
    entry.licence,
  ].filter(Boolean)
  return (
    <Card size="small" styles={{ body: { height: '100%', boxSizing: 'border-box' } }}>
      <Flex vertical gap={8} style={{ height: '100%' }}>
        <Flex justify="space-between" gap={8} align="flex-start">
          <div style={{ minWidth: 0 }}>
            <strong style={{ overflowWrap: 'anywhere' }}>{short}</strong>
            <div className="secondary" style={{ fontSize: 12 }}>
              {[owner, family, entry.languages.map(format.languageName).join(', ')]
                .filter(Boolean)
                .join(' · ')}
            </div>
          </div>
          {entry.offline && <Tag color="success">{t('models.catalog.offline')}</Tag>}
        </Flex>
        <div className="numeric" style={{ fontSize: 12 }}>
          {facts.join(' · ')}
        </div>
        {!entry.objectives.includes('sft') && (
          <div style={{ fontSize: 12 }}>{t('models.catalog.sortsOnly')}</div>
        )}
        <Flex gap={12} wrap style={{ fontSize: 12 }}>
          {(Object.keys(fit) as Schemas['Method'][]).map((method) => (
            <FitTag key={method} method={method} fit={fit[method] ?? 'unknown'} />
          ))}
        </Flex>
        <Flex align="center" gap={8} style={{ marginTop: 'auto' }}>
          <AddButton entry={entry} />
          {reason && !entry.model_id && (
            <span className="secondary" style={{ fontSize: 12 }}>
              {reasonText(t, reason)}
            </span>
          )}
        </Flex>
      </Flex>
    </Card>
  )
}

function AddButton({ entry }: { entry: Schemas['CatalogEntry'] }) {
  const { t } = useTranslation()
  const adding = useAddModel()
  if (entry.model_id) {
    return (
      <Button size="small" icon={<CheckOutlined />} disabled>
        {t('models.catalog.added')}
      </Button>
    )
  }
  return (
    <Button
      size="small"
      icon={<PlusOutlined />}
      disabled={Boolean(entry.unavailable_reason)}
      loading={adding.isPending}
      onClick={() => adding.mutate({ source: entry.source, reference: entry.reference })}
      aria-label={`${t('general.add')}: ${entry.name}`}
    >
      {t('general.add')}
    </Button>
  )
}
