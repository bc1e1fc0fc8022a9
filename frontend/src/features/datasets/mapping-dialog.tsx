/** Which column is what, when the columns do not say it themselves. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Flex, Form, Input, Modal, Radio, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { datasetRowsQuery, updateDataset } from './api'
import { guessColumns, guessType, MAPPABLE_TYPES, PARTS, toMapping, type MappableType, type Part } from './mapping-parts'
import { cellText } from './view/record-text'
import type { Schemas } from '@/api/client'
import { errorSentence } from '@/api/errors'

interface Props {
  dataset: Schemas['Dataset']
  open: boolean
  onClose: () => void
}

interface Values {
  record_type: MappableType
  columns: Partial<Record<Part, string>>
  system_text: string
}

function startingValues({ mapping, columns }: Schemas['Dataset']): Values {
  const known = MAPPABLE_TYPES.find((type) => type === mapping?.record_type)
  const type = known ?? guessType(columns)
  return {
    record_type: type,
    columns: known && mapping ? mapping.columns : guessColumns(type, columns),
    system_text: mapping?.system_text ?? '',
  }
}

export function MappingDialog({ dataset, open, onClose }: Props) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Values>()
  const queries = useQueryClient()
  const start = startingValues(dataset)
  const rows = useQuery({
    ...datasetRowsQuery(dataset, { limit: 1 }),
    enabled: open && dataset.status === 'needs_mapping',
  })
  const sample = rows.data?.items[0]?.record
  const type = Form.useWatch('record_type', form) ?? start.record_type
  const save = useMutation({
    mutationFn: (values: Values) =>
      updateDataset(dataset.id, {
        mapping: toMapping(values.record_type, values.columns, values.system_text ?? ''),
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['datasets'] })
      onClose()
    },
  })
  return (
    <Modal
      open={open}
      title={t('datasets.mapping.title')}
      okText={t('datasets.mapping.submit')}
      onOk={() => form.submit()}
      onCancel={onClose}
      confirmLoading={save.isPending}
      width={560}
      destroyOnHidden
    >
      <p className="secondary">{t('datasets.mapping.purpose')}</p>
      {save.error && (
        <Alert
          type="error"
          showIcon
          role="alert"
          title={errorSentence(t, save.error)}
          style={{ marginBottom: 16 }}
        />
      )}
      <Form<Values>
        form={form}
        layout="vertical"
        preserve={false}
        initialValues={start}
        onFinish={(values) => save.mutate(values)}
      >
        <Form.Item name="record_type" label={t('datasets.recordType')}>
          <Radio.Group
            vertical
            onChange={() => {
              const next = form.getFieldValue('record_type') as MappableType
              form.setFieldValue('columns', guessColumns(next, dataset.columns))
            }}
            options={MAPPABLE_TYPES.map((value) => ({
              value,
              label: (
                <>
                  {t(`datasets.recordTypes.${value}`)}{' '}
                  <span className="secondary">{t(`datasets.mapping.types.${value}`)}</span>
                </>
              ),
            }))}
          />
        </Form.Item>
        {PARTS[type].map(({ part, required }) => (
          <Form.Item
            key={`${type}-${part}`}
            name={['columns', part]}
            label={t(`datasets.mapping.parts.${part}`)}
            required={required}
            rules={[{ required, message: t('datasets.mapping.needed') }]}
          >
            <Select
              allowClear={!required}
              showSearch
              placeholder={t('datasets.mapping.column')}
              options={dataset.columns.map((column) => ({ value: column, label: column }))}
              optionRender={({ value }) => (
                <ColumnOption name={String(value)} sample={sample?.[String(value)]} />
              )}
            />
          </Form.Item>
        ))}
        {type !== 'language_modeling' && type !== 'classification' && (
          <Form.Item
            name="system_text"
            label={t('datasets.mapping.systemText')}
            extra={t('datasets.mapping.systemTextHelp')}
          >
            <Input.TextArea maxLength={5000} autoSize={{ minRows: 2, maxRows: 6 }} />
          </Form.Item>
        )}
      </Form>
    </Modal>
  )
}

/** A column with a value of the first row: the name alone often does not tell. */
function ColumnOption({ name, sample }: { name: string; sample: unknown }) {
  return (
    <Flex justify="space-between" gap={16}>
      <span>{name}</span>
      <span
        className="secondary"
        style={{ overflow: 'hidden', textOverflow: 'ellipsis', maxWidth: 320 }}
      >
        {sample === undefined ? '' : cellText(sample).slice(0, 80)}
      </span>
    </Flex>
  )
}
