/** Columns that the file had beside the records, as the first rows show them. */
import { useQuery } from '@tanstack/react-query'
import { datasetRowsQuery } from '../api'
import { isObject } from '../view/record-text'
import type { Schemas } from '@/api/client'

const LOOKED_AT = 100

export function useExtraColumns(dataset: Schemas['Dataset']): string[] {
  const { data } = useQuery(datasetRowsQuery(dataset, { offset: 0, limit: LOOKED_AT }))
  const names = (data?.items ?? []).flatMap(({ record: { meta } }) =>
    isObject(meta) && isObject(meta.extra) ? Object.keys(meta.extra) : [],
  )
  return [...new Set(names)]
}
