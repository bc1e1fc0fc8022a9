/** Questions to begin with, for whoever does not know what to ask. */
import { Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'

const SAMPLES = ['help', 'price', 'explain'] as const

export function Samples({ onChoose }: { onChoose: (prompt: string) => void }) {
  const { t } = useTranslation()
  return (
    <Flex vertical align="center" gap={12} style={{ margin: '32px 0', textAlign: 'center' }}>
      <span className="secondary">{t('playground.begin')}</span>
      <Flex gap={8} wrap justify="center">
        {SAMPLES.map((sample) => (
          <Button
            key={sample}
            style={{ height: 'auto', minHeight: 32, whiteSpace: 'normal' }}
            onClick={() => onChoose(t(`playground.samples.${sample}`))}
          >
            {t(`playground.samples.${sample}`)}
          </Button>
        ))}
      </Flex>
    </Flex>
  )
}
