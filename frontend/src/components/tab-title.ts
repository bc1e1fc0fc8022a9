/**
 * The title of the browser's tab, put together from what its writers know: the page its name, the
 * frame the progress of running work and whether something ended unseen.
 */
interface Parts {
  page: string
  progress: string
  /** Something ended while the tab was hidden. */
  marked: boolean
}

const MARK = '● '
let parts: Parts = { page: 'EasyTune', progress: '', marked: false }

/** The title that the parts make: `● 42 % · support-bot – Data · EasyTune`. */
export const tabTitle = ({ page, progress, marked }: Parts) =>
  `${marked ? MARK : ''}${progress ? `${progress} – ` : ''}${page}`

/** Changes some of the parts. */
export function setTabTitle(next: Partial<Parts>): void {
  parts = { ...parts, ...next }
  document.title = tabTitle(parts)
}
