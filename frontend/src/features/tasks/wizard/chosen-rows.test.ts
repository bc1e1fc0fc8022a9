/** Versions and parts of the data: what is sent of them, cloned, and kept in a draft. */
import { expect, it } from 'vitest'
import { problemsOf } from './check'
import { draftOf, stateOf } from './draft-document'
import { initialState } from './state'
import { TASK } from './testing-server'
import { chosenRows, emptyValues, planOf, valuesOfTask, type Task } from './values'

const values = { ...emptyValues(), model_id: 'm', dataset_id: 'd' }
const rows = { dataset_version: 2, dataset_split: 'train', validation_version: 3, validation_split: 'test' }

it('sends only what was chosen: the usual is the matter of the server', () => {
  expect(chosenRows(values)).toEqual({})
  expect(planOf(values)).not.toHaveProperty('dataset_version')
  expect(planOf({ ...values, ...rows, validation_dataset_id: 'v' })).toMatchObject(rows)
})

it('sends no version of a validation set that there is not', () => {
  expect(chosenRows({ ...values, ...rows })).toEqual({
    dataset_version: 2,
    dataset_split: 'train',
    validation_split: 'test',
  })
})

it('clones version and part; a part of the same data is no validation set of its own', () => {
  const dataset = { id: 'd1', name: 'Orders', version: 4, split: 'train' }
  const task = { ...TASK, dataset, validation_dataset: { ...dataset, split: 'validation' } } as unknown as Task
  expect(valuesOfTask(task)).toMatchObject({
    dataset_version: 4,
    dataset_split: 'train',
    validation_dataset_id: null,
    validation_version: null,
    validation_split: 'validation',
  })
  const other = { ...task, validation_dataset: { id: 'd2', name: 'Others', version: 1, split: null } }
  expect(valuesOfTask(other as Task)).toMatchObject({ validation_dataset_id: 'd2', validation_version: 1 })
})

it('comes back from a draft, and takes no rubbish for a version', () => {
  const draft = draftOf(initialState({ ...values, ...rows }))
  expect(stateOf(draft).values).toMatchObject(rows)
  const odd = { ...draft, values: { ...values, dataset_version: 'two', dataset_split: 7 } }
  expect(stateOf(odd).values).toMatchObject({ dataset_version: null, dataset_split: null })
})

it('takes another version or part of the same data for a validation set, but not the very same', () => {
  const same = { ...values, name: 'n', output_name: 'n', validation_dataset_id: 'd' }
  const codes = (changed: object) => problemsOf({ ...same, ...changed }).map(({ code }) => code)
  expect(codes({})).toContain('same_validation')
  expect(codes({ validation_split: 'test' })).not.toContain('same_validation')
  expect(codes({ validation_version: 1 })).not.toContain('same_validation')
  expect(codes({ dataset_version: 1, validation_version: 1 })).toContain('same_validation')
})
