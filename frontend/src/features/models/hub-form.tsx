/** A model of the Hugging Face hub by its id. */
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Form, Input } from 'antd'
import { useTranslation } from 'react-i18next'
import { catalogQuery } from './api'
import { useAddModel } from './use-add-model'
import { ApiError, errorSentence } from '@/api/errors'
import { showFieldErrors } from '@/components/form-errors'
import { hubId, isHubId } from '@/components/hub-id'

interface Values {
  reference: string
  revision: string
}

/** `owner/name`, or an address of the hub that contains it. */
const SAMPLE_ID = 'Qwen/Qwen2.5-0.5B-Instruct'
const SAMPLE_REVISION = 'main'

export function HubForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Values>()
  const adding = useAddModel({ inForm: true })
  const { data: catalog = [] } = useQuery(catalogQuery())
  const offline = catalog.some((entry) => entry.unavailable_reason === 'offline')

  const submit = ({ reference, revision }: Values) =>
    adding.mutate(
      {
        source: 'huggingface',
        reference: hubId(reference),
        revision: revision.trim() || null,
      },
      {
        onSuccess: onDone,
        onError: (error) => showFieldErrors(form, error, t, ['reference', 'revision']),
      },
    )

  return (
    <Form<Values>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{ reference: '', revision: '' }}
      onFinish={submit}
    >
      {offline && (
        <Alert type="info" showIcon title={t('models.add.isOffline')} style={{ marginBottom: 16 }} />
      )}
      {adding.error instanceof ApiError && (
        <Alert
          type="error"
          showIcon
          role="alert"
          title={errorSentence(t, adding.error)}
          style={{ marginBottom: 16 }}
        />
      )}
      <Form.Item
        name="reference"
        label={t('models.add.hubId')}
        extra={t('models.add.hubIdHelp')}
        validateTrigger="onBlur"
        rules={[
          {
            validator: (_, text: string) =>
              isHubId(text ?? '')
                ? Promise.resolve()
                : Promise.reject(new Error(t('models.add.hubIdRule'))),
          },
        ]}
      >
        <Input className="code-input" placeholder={SAMPLE_ID} spellCheck={false} autoFocus />
      </Form.Item>
      <Form.Item
        name="revision"
        label={`${t('models.revision')} (${t('general.optional')})`}
        extra={t('models.add.revisionHelp')}
      >
        <Input className="code-input" placeholder={SAMPLE_REVISION} spellCheck={false} maxLength={100} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={adding.isPending}>
        {t('models.add.submit')}
      </Button>
    </Form>
  )
}
