/** What is shown of the rows, as it stands in the address. */
import type { Schemas } from '@/api/client'
import { useSearchState } from '@/components/use-search-state'

export const VIEWS = ['table', 'conversation', 'raw'] as const
export type View = (typeof VIEWS)[number]
export type Row = Schemas['DatasetRow']
export const PAGE_SIZE: Record<View, number> = { table: 100, conversation: 20, raw: 20 }

/** A number of the address; null for anything that is none. */
export const numberIn = (text: string): number | null =>
  /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null

/** The page that holds the row at a place (1-based) of those that are listed. */
export const pageOf = (place: number, limit: number): number => Math.ceil(place / limit)

const NOTHING = { view: 'table', rows: '', page: '1', split: '', open: '', line: '' }

export function useRowsState() {
  const [state, set] = useSearchState(NOTHING)
  const view = VIEWS.find((each) => each === state.view) ?? 'table'
  const limit = PAGE_SIZE[view]
  const open = numberIn(state.open)
  return {
    view,
    limit,
    query: state.rows,
    split: state.split,
    /** The place of the row that is open, among those that are listed. */
    open,
    page: open ? pageOf(open, limit) : (numberIn(state.page) ?? 1),
    /** A line of the upload that somebody wants to see. */
    line: numberIn(state.line),
    set,
    show: (place: number) => set({ open: String(place), line: '' }),
    /** Leaves the page that held the row. */
    close: () => set({ open: '', page: String(open ? pageOf(open, limit) : 1) }),
    /** A row by its number in the version, whatever was searched for. */
    jump: (number: number) => set({ ...NOTHING, view: state.view, open: String(number) }),
  }
}

export type RowsState = ReturnType<typeof useRowsState>
