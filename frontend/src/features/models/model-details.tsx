/** What a model is and can do, unfolded below its row. */
import { Descriptions, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'
import { RelativeTime } from '@/components/relative-time'
import { useFormat } from '@/i18n/format'

export function ModelDetails({ model }: { model: Schemas['Model'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const uses = model.used_by ?? []
  const more = (model.used_by_count ?? 0) - uses.length
  const unknown = t('general.unknown')
  const items = [
    {
      key: 'objectives',
      label: t('models.objectives'),
      children: model.objectives.length
        ? model.objectives.map((each) => t(`tasks.objectives.${each}`)).join(', ')
        : t('models.notTrainable'),
    },
    {
      key: 'methods',
      label: t('models.methodsLabel'),
      children: model.methods.map((each) => t(`models.methods.${each}`)).join(', ') || '–',
    },
    {
      key: 'chat',
      label: t('models.chatTemplate'),
      children: t(model.has_chat_template ? 'models.chatTemplateYes' : 'models.chatTemplateNo'),
    },
    {
      key: 'architecture',
      label: t('models.architecture'),
      children: <span className="mono">{model.architecture ?? unknown}</span>,
    },
    ...(model.program
      ? [
          {
            key: 'program',
            label: t('models.trust.program'),
            children: (
              <span style={{ overflowWrap: 'anywhere' }}>
                {t(model.program.trusted ? 'models.trust.allowed' : 'models.trust.notAllowed')}:{' '}
                {model.program.files.join(', ')} <span className="mono">{model.program.sha256}</span>
              </span>
            ),
          },
        ]
      : []),
    { key: 'licence', label: t('models.licence'), children: model.licence ?? unknown },
    {
      key: 'reference',
      label: t('models.reference'),
      children: (
        <span className="mono" style={{ overflowWrap: 'anywhere' }}>
          {[model.reference, model.revision].filter(Boolean).join(' @ ') || '–'}
        </span>
      ),
    },
    {
      key: 'created',
      label: t('models.addedAt'),
      children: <RelativeTime at={model.created_at} />,
    },
    {
      key: 'uses',
      label: t('models.usedBy'),
      children: uses.length ? (
        <Flex gap={12} wrap>
          {uses.map((use) => (
            <Link key={use.task_id} to={paths.task(use.task_id)}>
              {use.name}
            </Link>
          ))}
          {more > 0 && (
            <span className="secondary">
              {t('general.andMore', { number: format.number(more) })}
            </span>
          )}
        </Flex>
      ) : (
        t('general.none')
      ),
    },
  ]
  return <Descriptions size="small" column={{ xs: 1, md: 2 }} items={items} />
}
