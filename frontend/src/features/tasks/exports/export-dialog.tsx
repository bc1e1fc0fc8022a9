/** Asks which format, and for a model folder how large its files may be. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Flex, Form, InputNumber, Modal, Radio, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Task } from '../api'
import { createExport, exportChoicesQuery, exportsQuery, type ExportChoice, type ExportFormat } from './api'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { Bytes } from '@/components/quantities'

const GB = 1_000_000_000
const DEFAULT_GB = 5

interface Values {
  format: ExportFormat
  shard_gb: number
}

// These leave a whole model, the others an adapter that is folded into its base.
const WHOLE: readonly Task['method'][] = ['freeze', 'full']

function Choice({ choice, method }: { choice: ExportChoice; method: Task['method'] }) {
  const { t } = useTranslation()
  const { format, size_bytes: size, unavailable } = choice
  const about = format === 'merged' && WHOLE.includes(method) ? 'whole' : format
  const why = unavailable && t(`exports.reasons.${unavailable.code}`, { ...unavailable.params, defaultValue: unavailable.message })
  return (
    <Radio value={format} disabled={unavailable !== null}>
      <Flex vertical>
        <span>
          {t(`exports.formats.${format}`)}
          {size !== null && !why && (
            <Typography.Text type="secondary">
              {' · '}
              <Bytes value={size} />
            </Typography.Text>
          )}
        </span>
        <Typography.Text type="secondary">{why ?? t(`exports.about.${about}`)}</Typography.Text>
      </Flex>
    </Radio>
  )
}

export function ExportDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const { data, error, refetch } = useQuery(exportChoicesQuery(task.id))
  const format = Form.useWatch('format', form)
  const asked = useMutation({
    mutationFn: ({ format, shard_gb }: Values) =>
      createExport(
        task.id,
        format === 'merged' ? { format, max_shard_bytes: Math.round(shard_gb * GB) } : { format },
      ),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: exportsQuery(task.id).queryKey })
      onClose()
    },
  })
  return (
    <Modal
      open
      title={t('exports.title')}
      okText={t('exports.start')}
      cancelText={t('general.cancel')}
      confirmLoading={asked.isPending}
      okButtonProps={{ disabled: !data }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      {error && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {!data && !error && <DelayedSkeleton rows={4} />}
      {data && (
        <Form
          form={form}
          layout="vertical"
          initialValues={{ format: 'merged', shard_gb: DEFAULT_GB }}
          onFinish={(values) => asked.mutate(values)}
        >
          <Form.Item name="format" label={t('exports.format')}>
            <Radio.Group>
              <Flex vertical gap={12}>
                {data.map((choice) => (
                  <Choice key={choice.format} choice={choice} method={task.method} />
                ))}
              </Flex>
            </Radio.Group>
          </Form.Item>
          {format === 'merged' && (
            <Form.Item
              name="shard_gb"
              label={t('exports.shardSize')}
              extra={t('exports.shardSizeDetail')}
              rules={[{ required: true, message: t('exports.shardSizeMissing') }]}
            >
              <InputNumber min={0.1} max={100} step={0.5} suffix="GB" style={{ width: 140 }} />
            </Form.Item>
          )}
          {asked.isError && <ErrorPanel error={asked.error} />}
        </Form>
      )}
    </Modal>
  )
}
