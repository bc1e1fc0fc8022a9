/** Which columns are shown, in which order: what the address says, else what was chosen last, else the usual. */
import { useState } from 'react'
import { DEFAULT_COLUMNS, parseColumns, type Column } from './list-view'

const STORAGE_KEY = 'easytune.task-columns'

/** A narrow window begins without the column that is missed least. */
const NARROW_PX = 1400
const usual = () =>
  window.innerWidth < NARROW_PX
    ? DEFAULT_COLUMNS.filter((column) => column !== 'method')
    : DEFAULT_COLUMNS

/** Names of columns that were called otherwise by the page of before. */
const RENAMED: Record<string, string> = { took: 'duration', created: 'created_at' }

function stored(): string {
  const text = localStorage.getItem(STORAGE_KEY)
  if (text === null) return usual().join()
  return text.split(',').map((each) => RENAMED[each] ?? each).join()
}

export function useColumns(
  address: string,
  setAddress: (text: string) => void,
): [Column[], (next: Column[]) => void] {
  const [kept, setKept] = useState(stored)
  return [
    parseColumns(address || kept),
    (next) => {
      const text = next.join()
      localStorage.setItem(STORAGE_KEY, text)
      setKept(text)
      setAddress(text)
    },
  ]
}
