/** Where runs differ, the table shows that they do. */
import type { TFunction } from 'i18next'
import { expect, it } from 'vitest'
import { configRows } from './config-rows'
import type { Task } from '../api'

const t = ((key: string, given?: { version?: number }) => (given?.version ? `v${given.version}` : key)) as TFunction
const format = { number: String } as unknown as Parameters<typeof configRows>[1]

const run = (dataset: string, version = 1) =>
  ({
    model: { id: 'm', name: 'Small' },
    dataset: { id: dataset, name: 'orders', version, split: null },
    validation_dataset: null,
    objective: 'sft',
    method: 'lora',
    intent: 'other',
    device: 'auto',
    precision: 'auto',
    deterministic: false,
    distributed: {},
    hyperparameters: {},
  }) as unknown as Task

const rowOf = (tasks: Task[]) => configRows(t, format, tasks).find(({ key }) => key === 'dataset')

it('tells two data sets of one name apart', () => {
  expect(rowOf([run('aaaaaaaa-111111'), run('aaaaaaaa-222222')])).toMatchObject({
    differs: true,
    values: ['orders · v1 · …111111', 'orders · v1 · …222222'],
  })
})

it('leaves alone what its words tell apart, and what is the same', () => {
  expect(rowOf([run('a', 1), run('a', 2)])?.values).toEqual(['orders · v1', 'orders · v2'])
  expect(rowOf([run('a'), run('a')])).toMatchObject({ differs: false, values: ['orders · v1', 'orders · v1'] })
})
