/** Which column is what, when the columns do not say it themselves. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Form, Input, Modal, Radio } from 'antd'
import { useTranslation } from 'react-i18next'
import { datasetRowsQuery, updateDataset } from './api'
import { MappingClasses, MappingColumns, MappingTags } from './mapping-fields'
import {
  guessColumns,
  guessType,
  MAPPABLE_TYPES,
  PARTS,
  takesClasses,
  takesSystem,
  takesVerdict,
  toMapping,
  type MappableType,
  type Part,
  type Tag,
} from './mapping-parts'
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
  tags?: Partial<Record<Tag, string>>
  system_text?: string
  label_true?: string
  label_columns?: string[]
}

function startingValues({ mapping, columns }: Schemas['Dataset']): Values {
  const type = mapping?.record_type ?? guessType(columns)
  const tags = Object.entries(mapping?.tags ?? {}).filter(([, name]) => name)
  return {
    record_type: type,
    columns: mapping ? mapping.columns : guessColumns(type, columns),
    tags: Object.fromEntries(tags) as Values['tags'],
    system_text: mapping?.system_text ?? '',
    label_true: mapping?.label_true ?? '',
    label_columns: mapping?.label_columns ?? [],
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
  const chosen = Form.useWatch('columns', form) ?? start.columns
  const withClasses = takesClasses(type) && !chosen.label
  const watched = Form.useWatch('label_columns', form) ?? start.label_columns
  const classes = (withClasses && watched) || []
  const free = dataset.columns.filter((column) => !Object.values(chosen).includes(column))
  const withTurns = PARTS[type].some(({ part }) => part === 'messages' && chosen[part])
  const save = useMutation({
    mutationFn: (values: Values) =>
      updateDataset(dataset.id, {
        mapping: toMapping(values.record_type, {
          columns: values.columns,
          tags: values.tags,
          systemText: values.system_text,
          labelTrue: values.label_true,
          classes: values.label_columns,
        }),
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
        <MappingColumns
          type={type}
          columns={dataset.columns}
          chosen={chosen}
          sample={sample}
          classes={classes}
        />
        {withClasses && <MappingClasses columns={free} />}
        {withTurns && <MappingTags open={Object.keys(start.tags ?? {}).length > 0} />}
        {takesVerdict(type) && (
          <Form.Item
            name="label_true"
            label={t('datasets.mapping.labelTrue')}
            extra={t('datasets.mapping.labelTrueHelp')}
          >
            <Input maxLength={200} />
          </Form.Item>
        )}
        {takesSystem(type) && (
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
