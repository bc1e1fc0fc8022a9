/** Which model looks at the data, and what it is to learn from it. */
import { Flex, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import type { useChosenModel } from './use-chosen-model'
import { paths } from '@/app/paths'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'

export function ModelChoice({ choice }: { choice: ReturnType<typeof useChosenModel> }) {
  const { t } = useTranslation()
  const { models, model, objectives, objective, error, retry, choose } = choice
  if (error) return <ErrorPanel error={error} onRetry={retry} />
  if (models?.length === 0) {
    return (
      <Flex gap={8} wrap align="center">
        <span className="secondary">{t('datasets.tokens.noModel')}</span>
        <LinkButton to={paths.models}>{t('datasets.tokens.addModel')}</LinkButton>
      </Flex>
    )
  }
  return (
    <Flex gap={8} wrap align="center">
      <Select
        showSearch={{ optionFilterProp: 'label' }}
        loading={!models}
        value={model?.id}
        onChange={(next) => choose({ model: next, objective: '' })}
        options={(models ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        aria-label={t('datasets.tokens.model')}
        placeholder={t('datasets.tokens.model')}
        style={{ minWidth: 240, maxWidth: '100%' }}
      />
      {objectives.length > 1 && (
        <Select
          value={objective}
          onChange={(next) => choose({ objective: next })}
          options={objectives.map((value) => ({ value, label: t(`tasks.objectives.${value}`) }))}
          aria-label={t('tasks.fields.objective')}
          style={{ minWidth: 200 }}
        />
      )}
    </Flex>
  )
}
