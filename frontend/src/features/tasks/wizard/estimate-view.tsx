/** What a run will take on this machine: memory with its parts, time, disk, steps, tokens. */
import {
  CheckCircleFilled,
  CloseCircleFilled,
  ExclamationCircleFilled,
  QuestionCircleOutlined,
} from '@ant-design/icons'
import { Progress } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { deviceText, memoryPartText } from './texts'
import type { Schemas } from '@/api/client'
import { Bytes } from '@/components/quantities'
import { useFormat } from '@/i18n/format'

type Estimate = Schemas['Estimate']

const LOOK: Record<Estimate['fit'], [colour: string, icon: ReactNode]> = {
  fits: ['success', <CheckCircleFilled key="icon" />],
  tight: ['warning', <ExclamationCircleFilled key="icon" />],
  will_not_fit: ['error', <CloseCircleFilled key="icon" />],
  unknown: ['text-secondary', <QuestionCircleOutlined key="icon" />],
}

function Memory({ estimate }: { estimate: Estimate }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { memory_bytes: needed, memory_available_bytes: available, fit } = estimate
  const [colour, icon] = LOOK[fit]
  const parts = estimate.memory_parts.filter(({ size_bytes }) => size_bytes > 0)
  return (
    <div>
      <div className="estimate-line">
        <span>{t('wizard.run.memory')}</span>
        <span className="nowrap" style={{ color: `var(--ant-color-${colour})` }}>
          <span aria-hidden>{icon}</span> {t(`wizard.run.fit.${fit}`)}
        </span>
      </div>
      {needed !== null && available > 0 && (
        <Progress
          percent={Math.min(100, Math.round((needed / available) * 100))}
          showInfo={false}
          size="small"
          strokeColor={`var(--ant-color-${fit === 'fits' ? 'primary' : colour})`}
          aria-label={t('wizard.run.memory')}
        />
      )}
      <div className="numeric secondary">
        {t('wizard.run.memoryOf', {
          needed: needed === null ? t('wizard.run.unknown') : format.bytes(needed),
          available: format.bytes(available),
        })}
      </div>
      {parts.length > 0 && (
        <details className="memory-parts">
          <summary>{t('wizard.run.parts')}</summary>
          <dl>
            {parts.map(({ name, size_bytes }) => (
              <div key={name} className="estimate-line">
                <dt>{memoryPartText(t, name)}</dt>
                <dd>
                  <Bytes value={size_bytes} />
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  )
}

export function EstimateView({ estimate }: { estimate: Estimate }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { time_low_s: low, time_high_s: high } = estimate
  const [from, to] = [format.about(low), format.about(high)]
  const time =
    low === null || high === null
      ? t('wizard.run.unknown')
      : from === to
        ? from
        : t('wizard.run.between', { low: from, high: to })
  const facts = [
    ['time', time],
    ['steps', format.number(estimate.total_steps)],
    ['tokens', format.number(estimate.num_tokens)],
    ['rows', format.number(estimate.num_rows)],
    [
      'disk',
      t('wizard.run.diskOf', {
        needed: format.bytes(estimate.disk_bytes),
        available: format.bytes(estimate.disk_available_bytes),
      }),
    ],
    ['device', deviceText(t, estimate.device)],
  ] as const
  return (
    <div className="estimate">
      <Memory estimate={estimate} />
      <dl>
        {facts.map(([name, value]) => (
          <div key={name} className="estimate-line">
            <dt>{t(`wizard.run.${name}`)}</dt>
            <dd className="numeric">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
