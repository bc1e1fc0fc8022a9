/** Data sets that are mixed by weight, with the share that each gets. */
import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Checkbox, Flex, InputNumber } from 'antd'
import { useTranslation } from 'react-i18next'
import { FieldRow } from './field-row'
import { SeedField } from './seed-field'
import { SourceField, sourceListQuery } from './source-field'
import { mixRows, sharesOf } from '../shares'
import type { StepOf } from '../steps'
import { useFormat } from '@/i18n/format'

interface Props {
  step: StepOf<'mix'>
  name: string
  /** Rows that arrive at this step. */
  rowsIn: number | null
  onChange: (step: StepOf<'mix'>) => void
}

export function MixFields({ step, name, rowsIn, onChange }: Props) {
  const { t } = useTranslation()
  const { sources } = step
  const { data } = useQuery(sourceListQuery)
  const weights = [step.weight, ...sources.map(({ weight }) => weight)]
  const shares = sharesOf(weights)
  const sizeOf = (id: string, version: number | null | undefined) =>
    version == null ? data?.items.find((each) => each.id === id)?.num_rows : null
  const sizes = [rowsIn, ...sources.map(({ dataset_id, version }) => sizeOf(dataset_id, version))]
  const mixed = mixRows(sizes, weights, step.rows, step.repeat === true)
  const weightOf = (at: number, weight: number, set: (weight: number) => void) => (
    <Weight weight={weight} share={shares[at] ?? 0} rows={mixed?.rows[at]} onChange={set} />
  )
  return (
    <>
      <div className="source-row">
        <strong className="source-own">{name}</strong>
        {weightOf(0, step.weight, (weight) => onChange({ ...step, weight }))}
      </div>
      {sources.map((source, at) => (
        <SourceField
          key={at}
          source={source}
          onChange={(next) =>
            onChange({ ...step, sources: sources.map((each, n) => (n === at ? { ...each, ...next } : each)) })
          }
          onRemove={
            sources.length > 1
              ? () => onChange({ ...step, sources: sources.filter((_, n) => n !== at) })
              : undefined
          }
        >
          {weightOf(at + 1, source.weight, (weight) =>
            onChange({ ...step, sources: sources.map((each, n) => (n === at ? { ...each, weight } : each)) }),
          )}
        </SourceField>
      ))}
      <ShareBar names={[name, ...sources.map(({ dataset_id: id }) => data?.items.find((each) => each.id === id)?.name ?? '–')]} shares={shares} />
      <Button
        size="small"
        icon={<PlusOutlined aria-hidden />}
        onClick={() => onChange({ ...step, sources: [...sources, { dataset_id: '', weight: 1 }] })}
        style={{ alignSelf: 'flex-start' }}
      >
        {t('datasets.prepare.addSource')}
      </Button>
      <Flex gap={16} wrap>
        <FieldRow label={t('datasets.prepare.mixRows')} help={t('datasets.prepare.mixRowsHelp')}>
          {(id) => (
            <InputNumber
              id={id}
              min={1}
              max={2 ** 40}
              precision={0}
              value={step.rows ?? null}
              placeholder={t('datasets.prepare.asMany')}
              onChange={(rows) => onChange({ ...step, rows })}
              style={{ width: 160 }}
            />
          )}
        </FieldRow>
        <SeedField seed={step.seed} onChange={(seed) => onChange({ ...step, seed })} />
      </Flex>
      <Checkbox
        checked={step.repeat === true}
        onChange={({ target }) => onChange({ ...step, repeat: target.checked })}
      >
        {t('datasets.prepare.repeat')}
      </Checkbox>
    </>
  )
}

interface WeightProps {
  weight: number
  share: number
  rows: number | undefined
  onChange: (weight: number) => void
}

function Weight({ weight, share, rows, onChange }: WeightProps) {
  const { t } = useTranslation()
  const format = useFormat()
  return (
    <span className="weight">
      <InputNumber
        min={0}
        max={1e9}
        value={weight}
        onChange={(next) => onChange(next ?? 0)}
        aria-label={t('datasets.prepare.weight')}
        prefix={t('datasets.prepare.weight')}
        style={{ width: 120 }}
      />
      <span className="numeric nowrap">
        <strong>{format.percent(share, 1)}</strong>
        {rows !== undefined && (
          <span className="secondary"> {t('datasets.prepare.about', { n: format.number(rows) })}</span>
        )}
      </span>
    </span>
  )
}

export function ShareBar({ names, shares }: { names: string[]; shares: number[] }) {
  const format = useFormat()
  const said = names.map((name, n) => `${name} ${format.percent(shares[n] ?? 0, 1)}`)
  return (
    <div className="share-bar" role="img" aria-label={format.list(said)}>
      {shares.map((share, n) => (
        <span key={n} title={said[n]} data-nth={n % 4} style={{ width: `${share * 100}%` }} />
      ))}
    </div>
  )
}
