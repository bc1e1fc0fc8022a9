/** Data sets whose rows are put behind these. */
import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { SourceField } from './source-field'
import type { StepOf } from '../steps'

interface Props {
  step: StepOf<'concatenate'>
  onChange: (step: StepOf<'concatenate'>) => void
}

export function ConcatenateFields({ step, onChange }: Props) {
  const { t } = useTranslation()
  const { sources } = step
  return (
    <>
      {sources.map((source, at) => (
        <SourceField
          key={at}
          source={source}
          onChange={(next) => onChange({ ...step, sources: sources.map((each, n) => (n === at ? next : each)) })}
          onRemove={
            sources.length > 1
              ? () => onChange({ ...step, sources: sources.filter((_, n) => n !== at) })
              : undefined
          }
        />
      ))}
      <Button
        size="small"
        icon={<PlusOutlined aria-hidden />}
        onClick={() => onChange({ ...step, sources: [...sources, { dataset_id: '' }] })}
        style={{ alignSelf: 'flex-start' }}
      >
        {t('datasets.prepare.addSource')}
      </Button>
    </>
  )
}
