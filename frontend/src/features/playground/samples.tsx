/** Questions to begin with, for whoever does not know what to ask. */
import { Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'

const SAMPLES = ['help', 'price', 'explain'] as const

interface Props {
  onChoose: (prompt: string) => void
  /** No questions but texts are expected: which ones, only their data knows. */
  translates: boolean
}

export function Samples({ onChoose, translates }: Props) {
  const { t } = useTranslation()
  if (translates) {
    return (
      <p className="secondary" style={{ textAlign: 'center', margin: '32px 0' }}>
        {t('playground.beginText')}
      </p>
    )
  }
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
