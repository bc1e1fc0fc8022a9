/** This machine, now: GPUs, processor, memory, disk. */
import { Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '@/api/client'
import { Meter } from '@/components/meter'
import { useFormat } from '@/i18n/format'

/** Training needs room for checkpoints: the disk warns early. */
const DISK_TIGHT_FROM = 0.85

export function HostMeters({ facts }: { facts: Schemas['SystemFacts'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { cpu, memory, disk, gpus } = facts
  const of = (used: number, total: number) => `${format.bytes(used)} / ${format.bytes(total)}`
  return (
    <Flex vertical gap={12}>
      {gpus.map((gpu) => (
        <Meter
          key={gpu.index}
          label={
            <>
              {t('system.gpu', { index: gpu.index })}{' '}
              <span className="secondary">
                {[
                  gpu.name,
                  gpu.utilization !== null && format.percent(gpu.utilization),
                  gpu.temperature_c !== null && `${format.number(gpu.temperature_c)} °C`,
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
            </>
          }
          name={`${t('system.gpu', { index: gpu.index })}: ${gpu.name}`}
          fraction={gpu.memory_used_bytes / (gpu.memory_total_bytes || 1)}
          figures={of(gpu.memory_used_bytes, gpu.memory_total_bytes)}
          tightFrom={0.97}
        />
      ))}
      <Meter
        label={
          <>
            {t('system.cpu')}{' '}
            <span className="secondary">{t('system.cores', { count: cpu.cores })}</span>
          </>
        }
        name={t('system.cpu')}
        fraction={cpu.utilization}
        tightFrom={2}
      />
      <Meter
        label={t('system.memory')}
        name={t('system.memory')}
        fraction={memory.used_bytes / (memory.total_bytes || 1)}
        figures={of(memory.used_bytes, memory.total_bytes)}
      />
      <Meter
        label={t('system.disk')}
        name={t('system.disk')}
        fraction={disk.used_bytes / (disk.total_bytes || 1)}
        figures={of(disk.used_bytes, disk.total_bytes)}
        tightFrom={DISK_TIGHT_FROM}
      />
    </Flex>
  )
}
