/** A plan that will not fit into memory: how much is missing, what would fit, or start anyway. */
import { Alert, Button, Checkbox, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { fieldOf } from './left'
import { knobNamed } from './knobs'
import { fieldLabel, memoryPartText, valueText, type Format } from './texts'
import type { Wizard } from './use-wizard'
import { METHODS } from './values'
import type { Schemas } from '@/api/client'
import { useFormat } from '@/i18n/format'
import type { TFunction } from 'i18next'

type Setting = Schemas['FieldError']

const LARGEST_PARTS = 2

/** `Micro-batch size: 1`. */
function settingText(t: TFunction, format: Format, { pointer, params }: Setting): string {
  const field = fieldOf(pointer)
  const knob = knobNamed(field.replace('hyperparameters.', ''))
  const name = knob ? fieldLabel(t, field) : t('tasks.fields.method')
  const value = knob ? valueText(t, format, knob, params.value) : methodText(t, String(params.value))
  return t('wizard.risk.setting', { name, value })
}

function methodText(t: TFunction, method: string): string {
  const known = METHODS.find((each) => each === method)
  return known ? t(`tasks.methods.${known}`) : method
}

export function MemoryRisk({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { estimate } = wizard.plan
  if (estimate?.fit !== 'will_not_fit') return null
  const { memory_bytes: needed, memory_available_bytes: available, smaller_settings } = estimate
  const parts = [...estimate.memory_parts]
    .sort((a, b) => b.size_bytes - a.size_bytes)
    .slice(0, LARGEST_PARTS)
    .map(({ name, size_bytes }) => `${memoryPartText(t, name)} ${format.bytes(size_bytes)}`)
  const fits = smaller_settings[0]?.params.needed_bytes

  const takeSmaller = () => {
    for (const { pointer, params } of smaller_settings) {
      const field = fieldOf(pointer)
      const knob = field.replace('hyperparameters.', '')
      if (knobNamed(knob)) wizard.dispatch({ type: 'knob', name: knob, value: params.value })
      else wizard.dispatch({ type: 'edit', values: { [field]: params.value } })
    }
  }

  return (
    <Alert
      type={wizard.riskAccepted ? 'warning' : 'error'}
      showIcon
      role="alert"
      title={t('wizard.risk.title', {
        needed: format.bytes(needed),
        available: format.bytes(available),
      })}
      description={
        <Flex vertical gap={8} align="flex-start">
          {parts.length > 0 && <span>{t('wizard.risk.parts', { parts: format.list(parts) })}</span>}
          {smaller_settings.length > 0 ? (
            <>
              <span>
                {t('wizard.risk.smaller', {
                  settings: format.list(smaller_settings.map((each) => settingText(t, format, each))),
                  needed: format.bytes(typeof fits === 'number' ? fits : null),
                })}
              </span>
              <Button type="primary" onClick={takeSmaller}>
                {t('wizard.risk.take')}
              </Button>
            </>
          ) : (
            <span>{t('wizard.risk.nothingFits')}</span>
          )}
          <Checkbox
            checked={wizard.riskAccepted}
            onChange={({ target }) => wizard.acceptRisk(target.checked)}
          >
            {t('wizard.risk.accept')}
          </Checkbox>
        </Flex>
      }
    />
  )
}
