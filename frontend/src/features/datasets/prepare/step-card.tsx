/** One step of the list: what it is, what it does to the rows, and the way up, down and out. */
import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined } from '@ant-design/icons'
import { Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { lackOf } from './check-steps'
import { StepFields, type StepFieldsProps } from './step-fields'
import type { Schemas } from '@/api/client'
import { useFormat } from '@/i18n/format'

interface Props extends StepFieldsProps {
  number: number
  count: number
  /** What it makes of the rows, as far as it was tried. */
  outlook: Schemas['StepOutlook'] | undefined
  /** What the server says against it. */
  refusal: string | undefined
  onMove: (by: -1 | 1) => void
  onRemove: () => void
}

export function StepCard({ number, count, outlook, refusal, onMove, onRemove, ...fields }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { step } = fields
  const name = t(`datasets.prepare.kinds.${step.kind}`)
  const lack = lackOf(step)
  const title = t('datasets.prepare.stepTitle', { number: format.number(number), name })
  return (
    <li className="step-card" aria-label={title}>
      <Flex gap={8} align="center" justify="space-between">
        <h3 className="plain-heading step-title">{title}</h3>
        <Flex align="center">
          <Button
            type="text"
            icon={<ArrowUpOutlined />}
            aria-label={t('datasets.prepare.moveUp', { name })}
            disabled={number === 1}
            onClick={() => onMove(-1)}
          />
          <Button
            type="text"
            icon={<ArrowDownOutlined />}
            aria-label={t('datasets.prepare.moveDown', { name })}
            disabled={number === count}
            onClick={() => onMove(1)}
          />
          <Button
            type="text"
            icon={<DeleteOutlined />}
            aria-label={t('datasets.prepare.removeStep', { name })}
            onClick={onRemove}
          />
        </Flex>
      </Flex>
      <div className="secondary step-help">{t(`datasets.prepare.kindHelp.${step.kind}`)}</div>
      <div className="step-fields">
        <StepFields {...fields} />
      </div>
      {refusal ? (
        <div role="alert" className="step-refusal">
          {refusal}
        </div>
      ) : lack ? (
        <div className="step-lack">{t(`datasets.prepare.lacks.${lack}`)}</div>
      ) : (
        outlook && (
          <div className="secondary numeric" role="status">
            {t('datasets.versions.rowsThrough', {
              before: format.number(outlook.rows_in),
              after: format.number(outlook.rows_out),
            })}
            {!outlook.exact && ` ${t('datasets.prepare.estimated')}`}
            {outlook.dropped > 0 && ` · ${t('datasets.prepare.droppedRows', { count: outlook.dropped })}`}
          </div>
        )
      )}
    </li>
  )
}
