/** Renaming and describing a data set. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Form, Input, Modal } from 'antd'
import { useTranslation } from 'react-i18next'
import { updateDataset } from './api'
import type { Schemas } from '@/api/client'
import { showFieldErrors } from '@/components/form-errors'
import { useShowError } from '@/components/use-show-error'

interface Props {
  dataset: Schemas['Dataset']
  open: boolean
  onClose: () => void
}

interface Values {
  name: string
  description: string
}

export function EditDialog({ dataset, open, onClose }: Props) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Values>()
  const queries = useQueryClient()
  const showError = useShowError()
  const save = useMutation({
    mutationFn: (values: Values) => updateDataset(dataset.id, values),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['datasets'] })
      onClose()
    },
    onError: (error) => {
      if (!showFieldErrors(form, error, t, ['name', 'description'])) showError(error)
    },
  })
  return (
    <Modal
      open={open}
      title={t('datasets.edit.title')}
      okText={t('general.save')}
      onOk={() => form.submit()}
      onCancel={onClose}
      confirmLoading={save.isPending}
      destroyOnHidden
    >
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark={false}
        preserve={false}
        initialValues={{ name: dataset.name, description: dataset.description }}
        onFinish={(values) => save.mutate(values)}
      >
        <Form.Item
          name="name"
          label={t('general.name')}
          rules={[{ required: true, whitespace: true, message: t('errors.fields.missing') }]}
        >
          <Input maxLength={200} />
        </Form.Item>
        <Form.Item name="description" label={t('datasets.edit.description')}>
          <Input.TextArea maxLength={5000} autoSize={{ minRows: 3, maxRows: 10 }} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
