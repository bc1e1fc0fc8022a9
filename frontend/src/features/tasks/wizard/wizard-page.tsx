/** New training: begins empty, from a link with model or data, from a task, or from a draft. */
import { skipToken, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { taskQuery } from '../api'
import { intentName } from '../intents'
import { getDraft } from './api'
import type { StepIndex } from './check'
import { stateOf } from './draft-document'
import { knobsOf } from './knobs'
import { initialState } from './state'
import { searchWith } from './use-steps'
import type { Start } from './use-wizard'
import { emptyValues, valuesOfTask, type Task } from './values'
import { Wizard } from './wizard'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { useLanguage } from '@/i18n/language'

const SOURCES = ['draft', 'clone', 'model', 'dataset', 'version'] as const
type From = Record<(typeof SOURCES)[number], string | null>

/** `Chat 21 Nov, 14:05`: told apart from other runs without anybody having to think of a name. */
function useDatedName(): (what: string) => string {
  const { code } = useLanguage()
  const [now] = useState(() => new Date())
  const date = new Intl.DateTimeFormat(code, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(now)
  return (what) => `${what} ${date}`
}

function useBeginning(from: From, draft: Schemas['Draft'] | undefined, task: Task | undefined) {
  const { t } = useTranslation()
  const dated = useDatedName()
  return (): Omit<Start, 'onDraft'> => {
    if (draft) {
      const step = draft.step as StepIndex
      return { state: stateOf(draft.values), step, draft: draft.id, nameFor: null }
    }
    const values = task
      ? valuesOfTask(task)
      : {
          ...emptyValues(),
          model_id: from.model,
          dataset_id: from.dataset,
          dataset_version: from.dataset && /^[1-9]\d{0,8}$/.test(from.version ?? '') ? Number(from.version) : null,
        }
    return {
      // A cloned task keeps its method and values; only an empty beginning follows the recommendation.
      state: initialState(values, {
        methodChosen: task !== undefined,
        kept: task ? knobsOf(values).map(({ name }) => name) : [],
      }),
      step: 0,
      draft: null,
      nameFor: ({ values: now }, dataset) => {
        if (task) return t('wizard.goal.copyOf', { name: task.name })
        return dataset ? dataset.name : dated(intentName(t, now.intent))
      },
    }
  }
}

function Beginning({ from, onDraft }: { from: From; onDraft: (id: string) => void }) {
  const { t } = useTranslation()
  const { draft: id, clone } = from
  // Read once: from here on the page is newer than what is stored.
  const draft = useQuery({
    queryKey: ['tasks', 'drafts', 'one', id],
    queryFn: id ? () => getDraft(id) : skipToken,
    staleTime: Infinity,
    gcTime: 0,
  })
  const task = useQuery({ ...taskQuery(clone ?? ''), enabled: Boolean(clone) && !id })
  const begin = useBeginning(from, draft.data, task.data)
  const waiting = id ? !draft.data : clone ? !task.data : false
  const error = draft.error ?? task.error
  if (error) {
    return (
      <ErrorPanel
        error={error}
        title={id ? t('wizard.draft.gone') : undefined}
        action={
          <LinkButton type="primary" to={paths.newTask}>
            {t('wizard.draft.fresh')}
          </LinkButton>
        }
      />
    )
  }
  if (waiting) return <DelayedSkeleton rows={8} />
  return <Begun begin={begin} onDraft={onDraft} />
}

/** Holds what the wizard began with: later answers to the same questions change nothing. */
function Begun({ begin, onDraft }: { begin: () => Omit<Start, 'onDraft'>; onDraft: Start['onDraft'] }) {
  const [start] = useState(begin)
  return <Wizard start={{ ...start, onDraft }} />
}

export function WizardPage() {
  const [search, setSearch] = useSearchParams()
  const from = Object.fromEntries(SOURCES.map((name) => [name, search.get(name)])) as From
  const key = SOURCES.map((name) => from[name] ?? '').join(' ')
  // The draft that the page itself has made does not begin the wizard anew; any other address does.
  const [session, setSession] = useState({ count: 0, key, from, own: '' })
  if (key !== session.key) {
    const own = session.own !== '' && from.draft === session.own
    setSession({ count: session.count + (own ? 0 : 1), key, from: own ? session.from : from, own: session.own })
  }
  const adopt = (id: string) => {
    setSession((before) => ({ ...before, own: id }))
    const address = searchWith({ clone: null, model: null, dataset: null, version: null, draft: id })
    setSearch(address, { replace: true })
  }
  return <Beginning key={session.count} from={session.from} onDraft={adopt} />
}
