/** Which version the address asks for: the current one, or an earlier one to look at. */
import { useQuery } from '@tanstack/react-query'
import { datasetVersionsQuery, type Version } from './api'
import type { Schemas } from '@/api/client'
import { useSearchState } from '@/components/use-search-state'

type Dataset = Schemas['Dataset']

/** The data set as it is in one of its versions. */
export function datasetAt(dataset: Dataset, version: Version): Dataset {
  if (version.version === dataset.version) return dataset
  return {
    ...dataset,
    version: version.version,
    status: version.status,
    record_type: version.record_type,
    num_rows: version.num_rows,
    sha256: version.sha256,
    format: version.format,
    encoding: version.encoding,
    mapping: version.mapping,
    counts: version.counts,
    // What other kinds of rows can be used for is not known here.
    objectives: version.record_type === dataset.record_type ? dataset.objectives : [],
    error: null,
  }
}

export interface ShownVersion {
  /** The data set as it is shown. */
  dataset: Dataset
  /** The number of an earlier version that is looked at; null for the current one. */
  earlier: number | null
  /** It was asked for, and is not there. */
  missing: number | null
  pending: boolean
}

export function useShownVersion(current: Dataset): ShownVersion {
  const [{ version: asked }] = useSearchState({ version: '' })
  const number = /^[1-9]\d{0,8}$/.test(asked) ? Number(asked) : current.version
  const wanted = number === current.version ? null : number
  const { data, error } = useQuery({ ...datasetVersionsQuery(current), enabled: wanted !== null })
  const none = { dataset: current, earlier: null, missing: null, pending: false }
  if (wanted === null) return none
  const found = data?.items.find((each) => each.version === wanted)
  if (found) return { dataset: datasetAt(current, found), earlier: wanted, missing: null, pending: false }
  if (data || error) return { ...none, missing: wanted }
  return { ...none, pending: true }
}
