/** Step 3: how much there is to learn, which weights learn, and the values that follow from it. */
import { DownOutlined, LoadingOutlined, UndoOutlined, UpOutlined } from '@ant-design/icons'
import { Button, Flex, Select, Tag, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { ChoiceCards } from './choice-cards'
import { ComputationFields, computationFields } from './computation-fields'
import { DistributedFields, useManyProcesses } from './distributed-fields'
import { Field } from './field'
import { KnobField } from './knob-field'
import { MeasuredWith, useKnobs } from './measured-with'
import { isChanged } from './state'
import { reasonText } from './texts'
import type { Wizard } from './use-wizard'
import { COMPLEXITIES, DEVICES, METHODS } from './values'
import { useFormat } from '@/i18n/format'

function MethodField({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { state, plan, models, dispatch } = wizard
  const { method, model_id } = state.values
  const able = models?.find(({ id }) => id === model_id)?.methods
  const best = plan.unbound?.method
  const reason = reasonText(t, format, plan.unbound, 'method')
  const back = best !== undefined && best !== method && able?.includes(best) !== false
  return (
    <Field
      wizard={wizard}
      field="method"
      group
      label={t('wizard.method.method')}
      help={
        (reason || back) && (
          <>
            {reason && <div>{reason}</div>}
            {back && (
              <Button
                type="link"
                size="small"
                icon={<UndoOutlined aria-hidden />}
                onClick={() => dispatch({ type: 'resetMethod', method: best })}
              >
                {t('wizard.method.useRecommended', { method: t(`tasks.methods.${best}`) })}
              </Button>
            )}
          </>
        )
      }
    >
      {({ id }) => (
        <ChoiceCards
          id={id}
          value={method}
          onChange={(next) => dispatch({ type: 'edit', values: { method: next } })}
          choices={METHODS.map((value) => {
            const disabled = able !== undefined && !able.includes(value)
            return {
              value,
              disabled,
              label: (
                <>
                  {t(`tasks.methods.${value}`)}{' '}
                  {best === value && <Tag color="blue">{t('wizard.method.recommended')}</Tag>}
                </>
              ),
              detail: disabled ? t('wizard.method.unavailable') : t(`wizard.method.methodDetail.${value}`),
            }
          })}
        />
      )}
    </Field>
  )
}

function DeviceField({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  return (
    <Field
      wizard={wizard}
      field="device"
      className="knob"
      label={t('wizard.method.device')}
      help={t('wizard.method.deviceHelp')}
    >
      {(input) => (
        <Select
          {...input}
          value={wizard.state.values.device}
          onChange={(device) => wizard.dispatch({ type: 'edit', values: { device } })}
          options={DEVICES.map((value) => ({ value, label: t(`wizard.method.devices.${value}`) }))}
        />
      )}
    </Field>
  )
}

export function StepMethod({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { state, plan, advanced, setAdvanced, dispatch } = wizard
  const knobs = useKnobs(wizard)
  const many = useManyProcesses(wizard)
  const basic = knobs.filter(({ group }) => group === 'basic')
  const rest = knobs.filter(({ group }) => group === 'advanced')
  const changed = knobs.filter(({ name }) => isChanged(state, name))
  const hiddenChanges = rest.filter((each) => changed.includes(each)).length
  return (
    <>
      <Field wizard={wizard} field="complexity" group label={t('wizard.method.complexity')}>
        {({ id }) => (
          <ChoiceCards
            id={id}
            value={state.values.complexity}
            onChange={(complexity) => dispatch({ type: 'edit', values: { complexity } })}
            choices={COMPLEXITIES.map((value) => ({
              value,
              label: t(`wizard.method.complexities.${value}`),
              detail: t(`wizard.method.complexityDetail.${value}`),
            }))}
          />
        )}
      </Field>
      <MethodField wizard={wizard} />
      <Flex justify="space-between" align="center" wrap gap={8} className="knobs-head">
        <Typography.Title level={3} style={{ margin: 0 }}>
          {t('wizard.method.basic')}
        </Typography.Title>
        <span role="status" className="secondary">
          {plan.recommending && (
            <>
              <LoadingOutlined aria-hidden /> {t('wizard.method.waiting')}
            </>
          )}
          {plan.recommendationError ? t('wizard.method.noRecommendation') : null}
        </span>
        {changed.length > 0 && (
          <Button
            size="small"
            onClick={() => changed.forEach(({ name }) => dispatch({ type: 'reset', name }))}
          >
            {t('wizard.method.resetAll')} ({t('wizard.method.changedCount', { count: changed.length })})
          </Button>
        )}
      </Flex>
      <div className="field-grid">
        {basic.map((knob) => (
          <KnobField key={knob.name} wizard={wizard} knob={knob} />
        ))}
        <MeasuredWith wizard={wizard} knobs={knobs} />
      </div>
      <Button
        type="text"
        style={{ marginBottom: 12 }}
        icon={advanced ? <UpOutlined aria-hidden /> : <DownOutlined aria-hidden />}
        aria-expanded={advanced}
        aria-controls="advanced-settings"
        onClick={() => setAdvanced(!advanced)}
      >
        {advanced
          ? t('wizard.method.hideAdvanced')
          : t('wizard.method.showAdvanced', { count: rest.length + computationFields(state.values).length + (many ? 3 : 1) })}
        {!advanced && hiddenChanges > 0 && (
          <span className="changed-mark">
            {' · '}
            {t('wizard.method.changedCount', { count: hiddenChanges })}
          </span>
        )}
      </Button>
      <div id="advanced-settings" className="field-grid" hidden={!advanced}>
        {advanced && (
          <>
            {rest.map((knob) => (
              <KnobField key={knob.name} wizard={wizard} knob={knob} />
            ))}
            <DeviceField wizard={wizard} />
            {many && <DistributedFields wizard={wizard} />}
            <ComputationFields wizard={wizard} />
          </>
        )}
      </div>
    </>
  )
}
