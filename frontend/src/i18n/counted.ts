/** Which figure of a message decides between "1 row is" and "2 rows are". */
type Figures = Record<string, unknown>

/** By code, where the figure is not called `count` already. */
const COUNTED: Record<string, string> = {
  few_rows: 'num_rows',
  no_usable_rows: 'dropped',
  too_many_dropped_rows: 'dropped',
  PlaygroundBusy: 'running',
  TokensBusy: 'running',
  TooManySignIns: 'seconds',
  first_answers_unlearnt: 'rows',
  rows_left_out: 'rows',
  rows_split: 'rows',
  rows_truncated: 'rows',
  validation_rows_left_out: 'rows',
  validation_rows_truncated: 'rows',
  early_stopped: 'patience',
}

/** The `count` by which the language's plural forms are chosen; nothing for most messages. */
export function countOf(code: string, params: Figures): { count?: number } {
  const figure = params[COUNTED[code] ?? 'count']
  return typeof figure === 'number' ? { count: figure } : {}
}
