/** What one model says of one text: the chosen label and a bar for each, or a number. */
import { Flex, Progress, Tag, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Predictions } from './api'
import { useFormat } from '@/i18n/format'

interface Props {
  kind: Predictions['kind']
  prediction: Predictions['predictions'][number]
  numLabels: number
  /** Labels that are shown at most. */
  most: number
}

export function PredictionView({ kind, prediction, numLabels, most }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { chosen, labels, value, truncated, tokens } = prediction
  const shown = labels.slice(0, most)
  const numeric = kind === 'regression' || kind === 'score'
  return (
    <div className="playground-prediction">
      <Flex gap={8} align="baseline" wrap>
        <Typography.Text strong className={numeric ? 'numeric' : undefined}>
          {numeric ? format.value(value) : chosen.join(', ') || t('playground.labels.none')}
        </Typography.Text>
        {truncated && (
          <Tag color="warning" title={t('playground.labels.cutHelp', { count: tokens })}>
            {t('playground.labels.cut')}
          </Tag>
        )}
      </Flex>
      {shown.length > 0 && (
        <ul className="playground-bars">
          {shown.map(({ label, score }) => (
            <li key={label}>
              <span className="playground-label">{label}</span>
              <Progress
                percent={score * 100}
                showInfo={false}
                size="small"
                aria-label={label}
                strokeColor={
                  chosen.includes(label)
                    ? 'var(--ant-color-primary)'
                    : 'var(--ant-color-text-quaternary)'
                }
              />
              <span className="numeric">{format.percent(score, 1)}</span>
            </li>
          ))}
        </ul>
      )}
      {!numeric && numLabels > shown.length && (
        <span className="secondary">
          {t('playground.labels.more', { count: numLabels - shown.length })}
        </span>
      )}
    </div>
  )
}
