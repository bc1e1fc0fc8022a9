/** System prompt and sampling; the same for all columns. */
import { Button, Collapse, Flex, Form, Input, InputNumber, Slider } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Settings } from './conversation'

interface Props {
  settings: Settings
  /** What is said when nothing else was written: the system message of the model's data. */
  suggested: string
  /** Models that turn one text into another have no system prompt. */
  withSystem: boolean
  onChange: (next: Partial<Settings>) => void
}

export function SettingsPanel({ settings, suggested, withSystem, onChange }: Props) {
  const { t } = useTranslation()
  const { temperature, maxNewTokens, topP, seed, system } = settings
  const body = (
    <Form layout="vertical">
      <Form.Item
        label={t('playground.system')}
        htmlFor="system"
        style={{ marginBottom: 12 }}
        hidden={!withSystem}
      >
        <Input.TextArea
          id="system"
          value={system ?? suggested}
          autoSize={{ minRows: 1, maxRows: 4 }}
          placeholder={t('playground.systemHelp')}
          onChange={(event) => onChange({ system: event.target.value })}
        />
        {system !== null && system !== suggested && (
          <Button
            type="link"
            size="small"
            style={{ paddingInline: 0 }}
            onClick={() => onChange({ system: null })}
          >
            {suggested ? t('playground.useSystem') : t('general.reset')}
          </Button>
        )}
      </Form.Item>
      <Flex gap={24} wrap>
        <Form.Item label={t('playground.temperature')} extra={t('playground.temperatureHelp')}>
          <Slider
            min={0}
            max={2}
            step={0.1}
            value={temperature}
            ariaLabelForHandle={t('playground.temperature')}
            onChange={(value) => onChange({ temperature: value })}
            style={{ width: 200 }}
          />
        </Form.Item>
        <Form.Item label={t('playground.topP')}>
          <Slider
            min={0.05}
            max={1}
            step={0.05}
            value={topP}
            disabled={temperature === 0}
            ariaLabelForHandle={t('playground.topP')}
            onChange={(value) => onChange({ topP: value })}
            style={{ width: 160 }}
          />
        </Form.Item>
        <Form.Item label={t('playground.maxTokens')} htmlFor="max-tokens">
          <InputNumber
            id="max-tokens"
            min={1}
            max={8192}
            precision={0}
            value={maxNewTokens}
            onChange={(value) => onChange({ maxNewTokens: value ?? 256 })}
          />
        </Form.Item>
        <Form.Item label={t('playground.seed')} htmlFor="seed">
          <InputNumber
            id="seed"
            min={0}
            max={2147483647}
            precision={0}
            value={seed}
            disabled={temperature === 0}
            placeholder={t('playground.seedNone')}
            onChange={(value) => onChange({ seed: value })}
          />
        </Form.Item>
      </Flex>
    </Form>
  )
  return (
    <Collapse
      size="small"
      items={[{ key: 'settings', label: t(withSystem ? 'playground.settings' : 'playground.sampling'), children: body }]}
      style={{ marginBottom: 12 }}
    />
  )
}
