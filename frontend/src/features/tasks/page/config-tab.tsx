/** What was asked for, and what the engine made of it. */
import { Button, Descriptions, Flex, Typography } from 'antd'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { taskUrl, type Task } from '../api'
import { knobNamed, knobsOf } from '../wizard/knobs'
import { deviceText as deviceName, knobLabel, valueText } from '../wizard/texts'
import { secondsTaken } from './expectation'
import { ParentDifferences } from './parent-differences'
import { originalWords } from '@/api/errors'
import { Bytes, Duration } from '@/components/quantities'
import { useFormat } from '@/i18n/format'

/** A hyper-parameter that this version of the page does not know, as it came. */
const plainText = (value: unknown) => (Array.isArray(value) ? value.join(', ') : String(value ?? '–'))

/** What it computed on and why: in English the engine's own sentence, which also tells the type. */
function deviceText(t: TFunction, { device, device_used: used, device_reason: reason }: Task): string {
  if (!used) return '–'
  if (reason && originalWords(reason) === null) return reason
  const name = deviceName(t, used)
  if (device !== 'auto') return t('tasks.config.deviceAsked', { device: name })
  return used === 'cpu' ? t('tasks.config.deviceNoGpu', { device: name }) : name
}

export function ConfigTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { estimate } = task
  const plan = { ...task, validation_dataset_id: task.validation_dataset?.id }
  const mattering = new Set(knobsOf(plan).map(({ name }) => name))
  // What this page has never heard of is shown, too.
  const used = Object.entries(task.hyperparameters).filter(
    ([name]) => mattering.has(name) || !knobNamed(name),
  )
  const taken = task.status === 'COMPLETED' ? secondsTaken(task) : null
  const { processes, strategy } = task.distributed
  return (
    <Flex vertical gap={8}>
      <ParentDifferences task={task} />
      <Flex justify="space-between" align="center" gap={8} wrap>
        <Typography.Title level={2} style={{ margin: 0 }}>
          {t('tasks.config.values')}
        </Typography.Title>
        <Button size="small" href={`${taskUrl(task.id, 'spec')}?format=yaml`} download>
          {t('tasks.actions.downloadSpec')}
        </Button>
      </Flex>
      <Descriptions
        size="small"
        bordered
        classNames={{ label: 'fact-label' }}
        column={{ xs: 1, md: 2 }}
        items={used.map(([name, value]) => {
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
      <Typography.Title level={2} style={{ margin: '8px 0 0' }}>
        {t('tasks.config.expected')}
      </Typography.Title>
      <Descriptions
        size="small"
        bordered
        classNames={{ label: 'fact-label' }}
        column={{ xs: 1, md: 2 }}
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
            key: 'time-used',
            label: t('tasks.config.timeUsed'),
            children: <Duration seconds={taken} />,
          },
          ...(processes > 1
            ? [
                {
                  key: 'processes',
                  label: t('wizard.method.processes'),
                  children: `${format.number(processes)} · ${t(`wizard.method.strategies.${strategy}`)}`,
                },
              ]
            : []),
          ...(task.precision === 'auto'
            ? []
            : [{ key: 'precision', label: t('wizard.method.precision'), children: task.precision }]),
          ...(task.deterministic
            ? [{ key: 'deterministic', label: t('wizard.method.deterministic'), children: t('wizard.method.on') }]
            : []),
          ...(task.chat_template
            ? [{ key: 'template', label: t('wizard.method.chatTemplate'), children: t('wizard.method.ownTemplate') }]
            : []),
          {
            key: 'device',
            label: t('tasks.config.device'),
            children: deviceText(t, task),
          },
        ]}
      />
    </Flex>
  )
}
