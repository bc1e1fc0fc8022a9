/** Which parts of the chosen data are trained on and measured with, where its version is divided. */
import { useQuery } from '@tanstack/react-query'
import { versionsQuery } from './api'
import type { Wizard } from './use-wizard'
import type { Schemas } from '@/api/client'

export type Version = Schemas['DatasetVersion']

const TRAIN = 'train'
const VALIDATION = 'validation'

/** The version that is meant, of a data set that is listed; undefined while it is not known. */
export function useChosenVersion(wizard: Wizard, id: string | null, number: number | null) {
  const dataset = wizard.datasets?.find((each) => each.id === id && each.status === 'ready') ?? null
  const { data } = useQuery(versionsQuery(dataset))
  const versions = (data?.items ?? []).filter(({ status }) => status === 'ready')
  const chosen = versions.find((each) => (number === null ? each.is_current : each.version === number))
  return { versions, chosen }
}

/** As the server takes them when nothing is said. */
export const usualPart = (version: Version | undefined, usual: 'train' | 'validation'): string | null =>
  version && usual in version.splits ? usual : null

/** The rows that are trained on and measured with, as a file for elsewhere names them. */
export function useRows(wizard: Wizard) {
  const { values } = wizard.state
  const { validation_dataset_id: other, validation_split } = values
  const part = usePart(wizard)
  const own = useChosenVersion(wizard, values.dataset_id, values.dataset_version).chosen
  const apart = useChosenVersion(wizard, other, values.validation_version).chosen
  return {
    train: { version: own, part: part.train },
    validation:
      other === null
        ? { version: own, part: part.validation }
        : { version: apart, part: validation_split ?? usualPart(apart, VALIDATION) },
  }
}

export interface Parts {
  train: string | null
  /** The part of the same data that is measured with; null when there is none, or other data is. */
  validation: string | null
}

export function usePart(wizard: Wizard): Parts {
  const { values } = wizard.state
  const { chosen } = useChosenVersion(wizard, values.dataset_id, values.dataset_version)
  const train = values.dataset_split ?? usualPart(chosen, TRAIN)
  if (values.validation_dataset_id !== null) return { train, validation: null }
  const kept = train !== null && train !== VALIDATION ? usualPart(chosen, VALIDATION) : null
  return { train, validation: values.validation_split ?? kept }
}
