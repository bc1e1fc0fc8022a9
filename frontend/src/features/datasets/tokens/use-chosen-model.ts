/** The model through whose eyes a data set is looked at: in the address, else the first that fits. */
import { useQuery } from '@tanstack/react-query'
import { modelOptionsQuery } from './api'
import type { Schemas } from '@/api/client'
import { useSearchState } from '@/components/use-search-state'

type Dataset = Schemas['Dataset']

/** What both the rows and the model are made for, the usual choice first. */
export const sharedObjectives = (dataset: Dataset, model: Schemas['Model']) =>
  dataset.objectives.filter((each) => model.objectives.includes(each))

export function useChosenModel(dataset: Dataset) {
  const { data, error, refetch } = useQuery(modelOptionsQuery())
  const [{ model: chosen, objective }, set] = useSearchState({ model: '', objective: '' })
  const models = data?.items.filter((each) => sharedObjectives(dataset, each).length > 0)
  const model = models?.find(({ id }) => id === chosen) ?? models?.[0]
  const objectives = model ? sharedObjectives(dataset, model) : []
  return {
    models,
    model,
    objectives,
    objective: objectives.find((each) => each === objective) ?? objectives[0],
    error,
    retry: () => void refetch(),
    choose: set,
  }
}
