/** Several processes that share a run: where the hardware is for it, or where it was asked for. */
import { useQuery } from '@tanstack/react-query'
import { InputNumber, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { hostQuery } from './api'
import { Field } from './field'
import type { Wizard } from './use-wizard'
import type { Schemas } from '@/api/client'

type Distributed = Schemas['Distributed']

const STRATEGIES = ['ddp', 'fsdp'] as const satisfies readonly Distributed['strategy'][]

export function useManyProcesses({ state }: Wizard): boolean {
  const { gpus, cores } = useQuery(hostQuery()).data ?? { gpus: 0, cores: 1 }
  const { device, distributed } = state.values
  const onCpu = device === 'cpu' || (device === 'auto' && gpus === 0)
  return distributed.processes !== 1 || (onCpu ? cores : gpus) > 1
}

export function DistributedFields({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { distributed } = wizard.state.values
  const edit = (changed: Partial<Distributed>) =>
    wizard.dispatch({ type: 'edit', values: { distributed: { ...distributed, ...changed } } })
  return (
    <>
      <Field
        wizard={wizard}
        field="distributed.processes"
        className="knob"
        label={t('wizard.method.processes')}
        help={t('wizard.method.processesHelp')}
      >
        {(input) => (
          <InputNumber<number>
            {...input}
            style={{ width: '100%' }}
            value={distributed.processes}
            onChange={(processes) => edit({ processes: processes ?? 1 })}
          />
        )}
      </Field>
      <Field
        wizard={wizard}
        field="distributed.strategy"
        className="knob"
        label={t('wizard.method.strategy')}
        help={t('wizard.method.strategyHelp')}
      >
        {(input) => (
          <Select
            {...input}
            value={distributed.strategy}
            onChange={(strategy) => edit({ strategy })}
            options={STRATEGIES.map((value) => ({ value, label: t(`wizard.method.strategies.${value}`) }))}
          />
        )}
      </Field>
    </>
  )
}
