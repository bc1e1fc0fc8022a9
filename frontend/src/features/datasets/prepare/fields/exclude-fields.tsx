/** Rows to leave out: all with a finding, and some by their number. */
import { Checkbox, Flex, Select } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { FieldRow } from './field-row'
import type { StepOf } from '../steps'
import { findingName } from '../step-text'
import { hygieneQuery } from '../../quality/api'
import type { Schemas } from '@/api/client'
import { useFormat } from '@/i18n/format'

interface Props {
  step: StepOf<'exclude'>
  dataset: Schemas['Dataset']
  onChange: (step: StepOf<'exclude'>) => void
}

const rowNumbers = (texts: readonly string[]): number[] => [
  ...new Set(texts.filter((text) => /^[1-9]\d{0,14}$/.test(text)).map((text) => Number(text) - 1)),
]

export function ExcludeFields({ step, dataset, onChange }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data } = useQuery(hygieneQuery(dataset))
  const chosen = step.findings ?? []
  const found = (data?.findings ?? []).filter(({ excludable, rows }) => excludable && rows > 0)
  // What was chosen stays in view, also when nothing of it is left.
  const names = [...new Set([...found.map(({ name }) => name), ...chosen])]
  return (
    <>
      {data && data.status !== 'ready' && <p className="secondary">{t('datasets.prepare.notExamined')}</p>}
      {data?.status === 'ready' && names.length === 0 && (
        <p className="secondary">{t('datasets.prepare.nothingFound')}</p>
      )}
      <Checkbox.Group value={chosen} onChange={(findings) => onChange({ ...step, findings })}>
        <Flex vertical gap={4}>
          {names.map((name) => (
            <Checkbox key={name} value={name}>
              {findingName(t, name)}{' '}
              <span className="secondary numeric">
                {format.number(found.find((each) => each.name === name)?.rows ?? 0)}
              </span>
            </Checkbox>
          ))}
        </Flex>
      </Checkbox.Group>
      <FieldRow label={t('datasets.prepare.rowNumbers')} help={t('datasets.prepare.rowNumbersHelp')}>
        {(id) => (
          <Select
            id={id}
            mode="tags"
            open={false}
            suffix={null}
            tokenSeparators={[',', ' ', '、', '，']}
            value={(step.rows ?? []).map((row) => String(row + 1))}
            onChange={(texts: string[]) => onChange({ ...step, rows: rowNumbers(texts) })}
          />
        )}
      </FieldRow>
    </>
  )
}
