/** Drafts that were not started, offered where a new training begins and on the list. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Flex } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteDraft, draftListQuery } from './api'
import { draftName } from './draft-document'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { RelativeTime } from '@/components/relative-time'
import { useShowError } from '@/components/use-show-error'
import './drafts-notice.css'

const SHOWN = 3

export function DraftsNotice() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data: drafts = [] } = useQuery(draftListQuery())
  const [all, setAll] = useState(false)
  const discard = useMutation({
    mutationFn: deleteDraft,
    onSettled: () => queries.invalidateQueries({ queryKey: draftListQuery().queryKey }),
    onError: useShowError(),
  })
  if (drafts.length === 0) return null
  return (
    <Alert
      type="info"
      role="status"
      style={{ marginBottom: 16 }}
      title={
        <>
          <span>{t('wizard.draft.title', { count: drafts.length })}</span>
          <ul className="draft-list">
          {drafts.slice(0, all ? undefined : SHOWN).map((draft) => {
            const name = draftName(draft.values) || t('wizard.draft.unnamed')
            return (
              <li key={draft.id}>
                <Flex gap={8} align="center" wrap>
                  <span>{name}</span>
                  <span className="secondary">
                    <RelativeTime at={draft.updated_at} />
                  </span>
                  <LinkButton
                    size="small"
                    to={withQuery(paths.newTask, { draft: draft.id })}
                    aria-label={`${t('wizard.draft.goOn')}: ${name}`}
                  >
                    {t('wizard.draft.goOn')}
                  </LinkButton>
                  <Button
                    size="small"
                    type="text"
                    disabled={discard.isPending}
                    aria-label={`${t('wizard.draft.discard')}: ${name}`}
                    onClick={() => discard.mutate(draft.id)}
                  >
                    {t('wizard.draft.discard')}
                  </Button>
                </Flex>
              </li>
            )
          })}
          </ul>
          {drafts.length > SHOWN && (
            <Button type="link" size="small" aria-expanded={all} onClick={() => setAll(!all)}>
              {t(all ? 'wizard.draft.fewer' : 'wizard.draft.all', { count: drafts.length })}
            </Button>
          )}
        </>
      }
    />
  )
}
