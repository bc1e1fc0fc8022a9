/** Findings, what matters most first; some or all are left out of a new version in one step. */
import { Button, Flex } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Finding, FindingName } from './api'
import { FindingEntry } from './finding-entry'
import { useExclude } from './use-exclude'
import type { Schemas } from '@/api/client'

interface Props {
  dataset: Schemas['Dataset']
  findings: Finding[]
  /** Everything was looked for in every row. */
  whole: boolean
  busy: boolean
}

const byWeight = (a: Finding, b: Finding) =>
  Number(a.severity === 'info') - Number(b.severity === 'info') || b.rows - a.rows

export function FindingList({ dataset, findings, whole, busy }: Props) {
  const { t } = useTranslation()
  const [chosen, setChosen] = useState<FindingName[]>([])
  const exclude = useExclude(dataset)
  const found = findings.filter(({ rows }) => rows > 0).sort(byWeight)
  if (found.length === 0) {
    return <p role="status">{t(whole ? 'datasets.quality.clean' : 'datasets.quality.cleanSoFar')}</p>
  }
  // A finding that is gone with a new examination is no longer chosen.
  const selection = chosen.filter((name) => found.some((each) => each.name === name))
  const held = busy ? t('datasets.versions.busy') : ''
  return (
    <>
      <ul className="findings-list">
        {found.map((finding) => (
          <FindingEntry
            key={finding.name}
            dataset={dataset}
            finding={finding}
            held={held}
            chosen={selection.includes(finding.name)}
            onChoose={(on) =>
              setChosen(on ? [...selection, finding.name] : selection.filter((name) => name !== finding.name))
            }
            onExclude={() => exclude([finding.name])}
          />
        ))}
      </ul>
      {selection.length > 1 && (
        <Flex gap={8} align="center" wrap>
          <Button type="primary" disabled={held !== ''} onClick={() => exclude(selection)}>
            {t('datasets.quality.excludeChosen', { count: selection.length })}
          </Button>
          <Button onClick={() => setChosen([])}>{t('datasets.quality.chooseNone')}</Button>
        </Flex>
      )}
    </>
  )
}
