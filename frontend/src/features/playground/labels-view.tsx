/** Models that sort or score texts: a box for the texts, the answers of both columns below. */
import { ClearOutlined } from '@ant-design/icons'
import { Button, Flex } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Target } from './api'
import { Rounds } from './rounds'
import { conversationsOf, loadDraft, MOST_TEXTS, saveDraft, textsOf, type Draft } from './texts'
import { TextsBox } from './texts-box'
import { usePredictions, type Ask } from './use-predictions'
import { WorkerState } from './worker-state'

interface Props {
  columns: readonly (Target | undefined)[]
  /** They score answers to a question. */
  scores: boolean
}

export function LabelsView({ columns, scores }: Props) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState<Draft>(loadDraft)
  const { round, busy, ask, clear } = usePredictions(columns)
  const texts = textsOf(draft)
  const tooMany = texts.length > MOST_TEXTS
  const question = draft.question.trim()

  useEffect(() => saveDraft(draft), [draft])

  const how: Ask = (target) =>
    // Without a question the text is scored as it stands.
    scores && question
      ? { texts: [], conversations: conversationsOf(texts, question, target) }
      : { texts, conversations: [] }

  return (
    <>
      <TextsBox
        draft={draft}
        onChange={(next) => setDraft({ ...draft, ...next })}
        onAsk={() => ask(texts, how)}
        scores={scores}
        disabled={!columns.some(Boolean)}
        busy={busy}
        trouble={
          tooMany ? t('playground.labels.tooMany', { count: texts.length, most: MOST_TEXTS }) : null
        }
      />
      <Flex gap={8} align="center" wrap style={{ margin: '12px 0 8px' }}>
        <WorkerState busy={busy} />
        <span style={{ flex: 1 }} />
        <Button size="small" icon={<ClearOutlined />} disabled={!round} onClick={clear}>
          {t('playground.clear')}
        </Button>
      </Flex>
      {round ? (
        <Rounds round={round} names={columns.map((each) => each?.name)} />
      ) : (
        <p className="secondary" style={{ textAlign: 'center', margin: '32px 0' }}>
          {t(scores ? 'playground.labels.beginScores' : 'playground.labels.begin')}
        </p>
      )}
    </>
  )
}
