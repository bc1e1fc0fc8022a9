/** The runs that train or were trained on a data set. */
import { Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'
import { useFormat } from '@/i18n/format'

export function DatasetUses({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const uses = dataset.used_by ?? []
  const more = (dataset.used_by_count ?? 0) - uses.length
  if (uses.length === 0) return null
  return (
    <Flex gap={12} wrap style={{ margin: '4px 0 8px' }}>
      <span className="secondary">{t('datasets.usedBy')}</span>
      {uses.map((use) => (
        <Link key={use.task_id} to={paths.task(use.task_id)}>
          {use.name}
        </Link>
      ))}
      {more > 0 && (
        <span className="secondary">{t('general.andMore', { number: format.number(more) })}</span>
      )}
    </Flex>
  )
}
