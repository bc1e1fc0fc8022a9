/** What a notice says, and where it leads. */
import type { TFunction } from 'i18next'
import type { Notice } from './api'
import { translateCode, translateHint, type Params } from '@/api/errors'
import { paths, withQuery } from '@/app/paths'
import type { useFormat } from '@/i18n/format'

type Format = ReturnType<typeof useFormat>

interface Told {
  code: string
  message: string
  hint: string
  params?: Params
}

export const noticeTitle = (t: TFunction, { kind, subject }: Notice) =>
  t(`notices.titles.${kind}`, { name: subject.name })

/** Why and what to do; of a success how long it took. */
export function noticeDetail(t: TFunction, format: Format, { kind, params }: Notice): string {
  const error = params.error as Told | undefined
  if (error?.code) {
    return both(t, translateCode(t, error), translateHint(t, error))
  }
  const { duration_s: took, loss, free_bytes: free, over } = params
  if (over === true) return t('notices.over')
  const figures = both(
    t,
    typeof took === 'number' ? t('notices.took', { duration: format.duration(took) }) : '',
    typeof loss === 'number' ? t('notices.loss', { loss: format.value(loss) }) : '',
  )
  if (typeof free === 'number') {
    return both(t, t('notices.free', { size: format.bytes(free) }), t(`notices.details.${kind}`))
  }
  return figures && kind === 'task_completed' ? figures : t(`notices.details.${kind}`)
}

/** Sentences in a row, as the language writes them. */
const both = (t: TFunction, first: string, second: string) =>
  first && second ? t('notices.both', { first, second }) : first || second

export function noticeLink({ subject }: Notice): string {
  switch (subject.type) {
    case 'task':
      return paths.task(subject.id)
    case 'dataset':
      return paths.dataset(subject.id)
    case 'model':
      return withQuery(paths.models, { q: subject.name })
    case 'disk':
      return paths.system
  }
}
