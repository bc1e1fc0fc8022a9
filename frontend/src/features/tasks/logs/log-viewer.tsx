/**
 * The log of a run: any number of lines, each by its number, whether they were there already or
 * arrive now. Follows while the run writes; any way upwards lets go, the end takes hold again.
 */
import { useRef, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { actionOf, isFind, type KeyAction } from './log-keys'
import { NewLines } from './line-count'
import { LogRowList } from './log-rows'
import { LogToolbar } from './log-toolbar'
import './log-viewer.css'
import './log-toolbar.css'
import { marked as markedLines } from './permalink'
import { QuietSummary } from './quiet-summary'
import { RowsFailure } from './rows-failure'
import { useRowLook } from './row-look'
import { ROW_PX } from './scroll-scale'
import { ScrollMarks } from './scroll-marks'
import { SectionStrip } from './section-strip'
import { useFullScreen } from './use-full-screen'
import { useLogCopy } from './use-log-copy'
import { useRowsState } from './use-log-rows'
import { useLogStart } from './use-log-start'
import { useLogView } from './use-log-view'
import { useMode } from './use-mode'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { EmptyState } from '@/components/empty-state'

interface Props {
  taskId: string
  attempts: number
  live: boolean
}

export function LogViewer({ taskId, attempts, live }: Props) {
  const { t } = useTranslation()
  const section = useRef<HTMLElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const layer = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const [help, setHelp] = useState(false)
  const { full, setFull } = useFullScreen(section)
  const view = useLogView(taskId, attempts, live)
  const { address, attempt, writing, rows, scroller, search, sections, filtering } = view
  const { state: asked, marked } = address
  const opened = useRowsState(rows, (state) => state.opened)
  const empty = useRowsState(rows, (state) => state.opened && state.count === 0)
  const start = useLogStart(taskId, attempt, asked.relative)
  const look = useRowLook(asked.search, useMode(), asked.wrap, start)
  const copy = useLogCopy(layer, rows)
  const firstError = sections?.first_error?.number ?? null

  function onNumber(number: number, extend: boolean): void {
    address.mark(markedLines(number, marked, extend), attempt)
    scroller.follow(false)
    // The address is written by then.
    setTimeout(() => void copy.copyLink())
  }

  function onError(number: number): void {
    address.mark({ first: number, last: number }, attempt)
    void view.showLine(number)
  }

  function act(action: KeyAction): void {
    const page = Math.max(ROW_PX, (box.current?.clientHeight ?? 0) - ROW_PX)
    if (action.kind === 'rows') scroller.scrollBy(action.rows * ROW_PX)
    else if (action.kind === 'pages') scroller.scrollBy(action.pages * page)
    else if (action.kind === 'start') scroller.goTo(0, 'start')
    else if (action.kind === 'end') scroller.follow(true)
    else if (action.kind === 'search') field.current?.select()
    else if (action.kind === 'next' || action.kind === 'previous') search.step(action.kind)
    else if (action.kind === 'follow') scroller.follow(!scroller.getSnapshot().following)
    else if (action.kind === 'wrap') address.set({ wrap: !asked.wrap })
    else if (action.kind === 'times') address.set({ relative: !asked.relative })
    else if (action.kind === 'error' && firstError !== null) onError(firstError)
    else if (action.kind === 'link') onNumber(search.number ?? marked?.first ?? view.topNumber(), false)
    else if (action.kind === 'help') setHelp(!help)
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const target = event.target as HTMLElement
    if (!event.currentTarget.contains(target)) return // in a panel of ours elsewhere in the page
    const inField = target === field.current
    if (isFind(event) && !inField) {
      event.preventDefault()
      field.current?.select()
    } else if (event.key === 'Escape' && full) setFull(false)
    else if (target === box.current || box.current?.contains(target)) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') {
        event.preventDefault()
        copy.selectAll()
        return
      }
      const action = actionOf(event)
      if (!action) return
      event.preventDefault()
      act(action)
    }
  }

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys that lead to the search and out of full screen
    <section
      ref={section}
      className={full ? 'log-viewer log-full' : 'log-viewer'}
      aria-label={t('logs.title')}
      onKeyDown={onKeyDown}
    >
      <LogToolbar
        view={view}
        task={taskId}
        attempts={attempts}
        fieldRef={field}
        full={full}
        onFull={setFull}
        help={help}
        onHelp={setHelp}
        onLeave={() => box.current?.focus()}
      />
      <SectionStrip
        found={sections}
        scroller={scroller}
        writing={writing}
        top={view.topNumber}
        onJump={(number) => void view.showLine(number, 'start')}
        onError={onError}
      />
      <RowsFailure rows={rows} />
      <div className="log-frame">
        <LogRowList
          rows={rows}
          scroller={scroller}
          box={box}
          layer={layer}
          look={look}
          marked={marked}
          current={search.number}
          onNumber={onNumber}
          onCopy={copy.onCopy}
        >
          {!opened && <DelayedSkeleton rows={10} />}
          {empty && (
            <EmptyState title={t(filtering ? 'logs.noMatch' : 'logs.empty')} />
          )}
        </LogRowList>
        {!filtering && (
          <ScrollMarks
            rows={rows}
            matches={search.marks}
            current={search.number}
            error={firstError}
            marked={marked?.first ?? null}
          />
        )}
        {writing && <NewLines rows={rows} scroller={scroller} />}
      </div>
      <QuietSummary rows={rows} live={writing} />
    </section>
  )
}
