/** The models of the columns: in the address, and kept for this tab. */
import { useEffect, useState } from 'react'
import type { Target } from './api'
import { load, save } from './stored'
import { columnsOf, keyOf, NOBODY } from './targets'
import { useSearchState } from '@/components/use-search-state'

export interface Columns {
  columns: (Target | undefined)[]
  choose: (column: number, key: string | null) => void
}

export function useColumns(targets: readonly Target[]): Columns {
  const [last] = useState(() => load().columns)
  const [asked, setAsked] = useSearchState({ task: '', left: '', right: '' })
  const columns = columnsOf(targets, asked, last)
  const keys = columns.map((target) => (target ? keyOf(target) : null))
  const [left, right] = keys

  useEffect(() => {
    save({ columns: [left ?? null, right ?? null] })
  }, [left, right])

  return {
    columns,
    choose(column, key) {
      const next = keys.map((before, n) => (n === column ? key : before))
      setAsked({ task: '', left: next[0] ?? NOBODY, right: next[1] ?? NOBODY })
    },
  }
}
