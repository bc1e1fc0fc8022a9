/** What a step asks for, by its kind. */
import { ConcatenateFields } from './fields/concatenate-fields'
import { ExcludeFields } from './fields/exclude-fields'
import { FilterFields } from './fields/filter-fields'
import { MapFields } from './fields/map-fields'
import { MixFields } from './fields/mix-fields'
import { SampleFields } from './fields/sample-fields'
import { SeedField } from './fields/seed-field'
import { SplitFields } from './fields/split-fields'
import type { Step } from './steps'
import type { Schemas } from '@/api/client'

export interface StepFieldsProps {
  step: Step
  dataset: Schemas['Dataset']
  /** Columns of the file that stand beside the records. */
  columns: readonly string[]
  /** Rows that arrive at this step, when that is known. */
  rowsIn: number | null
  onChange: (step: Step) => void
}

export function StepFields({ step, dataset, columns, rowsIn, onChange }: StepFieldsProps) {
  switch (step.kind) {
    case 'filter':
      return <FilterFields step={step} columns={columns} onChange={onChange} />
    case 'exclude':
      return <ExcludeFields step={step} dataset={dataset} onChange={onChange} />
    case 'map':
      return <MapFields step={step} columns={columns} onChange={onChange} />
    case 'sample':
      return <SampleFields step={step} onChange={onChange} />
    case 'shuffle':
      return <SeedField seed={step.seed} onChange={(seed) => onChange({ ...step, seed })} />
    case 'concatenate':
      return <ConcatenateFields step={step} onChange={onChange} />
    case 'mix':
      return <MixFields step={step} name={dataset.name} rowsIn={rowsIn} onChange={onChange} />
    case 'split':
      return <SplitFields step={step} columns={columns} rowsIn={rowsIn} onChange={onChange} />
  }
}
