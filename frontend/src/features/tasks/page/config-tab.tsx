/** What was asked for, and what the engine made of it. */
import { Button, Descriptions, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { taskUrl, type Task } from '../api'
import { knobNamed } from '../wizard/knobs'
import { knobLabel, valueText } from '../wizard/texts'
import { Bytes, Duration } from '@/components/quantities'
import { useFormat } from '@/i18n/format'

/** A hyper-parameter that this version of the page does not know, as it came. */
const plainText = (value: unknown) => (Array.isArray(value) ? value.join(', ') : String(value ?? '–'))

export function ConfigTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { estimate } = task
  return (
    <Flex vertical gap={16}>
      <Descriptions
        size="small"
        bordered
        column={{ xs: 1, md: 2 }}
        title={t('tasks.config.values')}
        extra={
          <Button size="small" href={`${taskUrl(task.id, 'spec')}?format=yaml`} download>
            {t('tasks.actions.downloadSpec')}
          </Button>
        }
        items={Object.entries(task.hyperparameters).map(([name, value]) => {
          const knob = knobNamed(name)
          return {
            key: name,
            label: <span title={name}>{knobLabel(t, name)}</span>,
            children: (
              <span className="numeric">
                {knob ? valueText(t, format, knob, value) : plainText(value)}
              </span>
            ),
          }
        })}
      />
      <Descriptions
        size="small"
        bordered
        column={{ xs: 1, md: 2 }}
        title={t('tasks.config.expected')}
        items={[
          {
            key: 'memory',
            label: t('tasks.config.memoryExpected'),
            children: <Bytes value={estimate?.memory_bytes} />,
          },
          {
            key: 'memory-used',
            label: t('tasks.config.memoryUsed'),
            children: <Bytes value={task.peak_memory_bytes} />,
          },
          {
            key: 'time',
            label: t('tasks.config.timeExpected'),
            children:
              estimate?.time_low_s == null ? (
                '–'
              ) : (
                <>
                  <Duration seconds={estimate.time_low_s} />
                  {' – '}
                  <Duration seconds={estimate.time_high_s} />
                </>
              ),
          },
          {
            key: 'device',
            label: t('tasks.config.device'),
            children: task.device_used
              ? [task.device_used, task.device_reason].filter(Boolean).join(': ')
              : '–',
          },
        ]}
      />
    </Flex>
  )
}
