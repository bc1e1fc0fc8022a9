/** What is learnt: a card for each way, those first that fit rows and model; the others say why not. */
import { DownOutlined, UpOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ChoiceCards } from './choice-cards'
import { Field } from './field'
import { cardOf, CARDS, obstacleOf, PREFERENCES } from './objectives'
import type { Wizard } from './use-wizard'

export function ObjectiveField({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { objective, dataset_id, model_id } = wizard.state.values
  const dataset = wizard.datasets?.find(({ id }) => id === dataset_id)
  const model = wizard.models?.find(({ id }) => id === model_id)
  const cards = CARDS.map((card) => ({ card, obstacle: obstacleOf(card, dataset, model) }))
  const sorted = cards.toSorted((a, b) => Number(a.obstacle !== null) - Number(b.obstacle !== null))
  return (
    <>
      <Field wizard={wizard} field="objective" group label={t('wizard.objective.label')}>
        {({ id }) => (
          <ChoiceCards
            id={id}
            value={cardOf(objective)}
            onChange={(next) => wizard.dispatch({ type: 'edit', values: { objective: next } })}
            choices={sorted.map(({ card, obstacle }) => ({
              value: card,
              disabled: obstacle !== null,
              label: t(`wizard.objective.cards.${card}`),
              detail: obstacle
                ? t(obstacle === 'rows' ? `wizard.objective.needs.${card}` : 'wizard.objective.otherModel')
                : t(`wizard.objective.details.${card}`),
            }))}
          />
        )}
      </Field>
      {cardOf(objective) === 'dpo' && <PreferenceField wizard={wizard} />}
    </>
  )
}

/** DPO suits nearly everybody: the other ways are folded until one of them is chosen. */
function PreferenceField({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { objective } = wizard.state.values
  const [unfolded, setUnfolded] = useState(objective !== 'dpo')
  const open = unfolded || objective !== 'dpo'
  return (
    <>
      <Button
        type="text"
        style={{ marginBottom: 12 }}
        icon={open ? <UpOutlined aria-hidden /> : <DownOutlined aria-hidden />}
        aria-expanded={open}
        aria-controls="preference-methods"
        disabled={objective !== 'dpo'}
        onClick={() => setUnfolded(!unfolded)}
      >
        {t('wizard.objective.otherWays')}
      </Button>
      <div id="preference-methods" hidden={!open}>
        {open && (
          <Field wizard={wizard} field="preference" group label={t('wizard.objective.way')}>
            {({ id }) => (
              <ChoiceCards
                id={id}
                value={objective}
                onChange={(next) => wizard.dispatch({ type: 'edit', values: { objective: next } })}
                choices={PREFERENCES.map((value) => ({
                  value,
                  label: t(`wizard.objective.ways.${value}`),
                  detail: t(`wizard.objective.wayDetails.${value}`),
                }))}
              />
            )}
          </Field>
        )}
      </div>
    </>
  )
}
