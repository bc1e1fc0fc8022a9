/** A data set of a hub by its id; what has to be chosen of it can be said at once, or later. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Form, Input, Radio } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { addFromHub, type Hub } from './hub-api'
import { errorSentence } from '@/api/errors'
import { paths } from '@/app/paths'
import { showFieldErrors } from '@/components/form-errors'
import { hubId, isHubId } from '@/components/hub-id'

interface Values {
  source: Hub
  reference: string
  subset: string
  split: string
  revision: string
}

const HUBS: readonly Hub[] = ['huggingface', 'modelscope']
const OPTIONAL = ['subset', 'split', 'revision'] as const
const SAMPLES = { reference: 'owner/name', subset: 'default', split: 'train', revision: 'main' }
const START: Values = { source: 'huggingface', reference: '', subset: '', split: '', revision: '' }
const FIELDS = Object.keys(START)

export function HubForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [form] = Form.useForm<Values>()
  const adding = useMutation({
    mutationFn: addFromHub,
    onSuccess: async (dataset) => {
      await queries.invalidateQueries({ queryKey: ['datasets'] })
      onDone()
      await navigate(paths.dataset(dataset.id))
    },
    onError: (error) => showFieldErrors(form, error, t, FIELDS),
  })
  const submit = ({ source, reference, subset, split, revision }: Values) =>
    adding.mutate({
      source,
      reference: hubId(reference),
      subset: subset.trim() || null,
      split: split.trim() || null,
      revision: revision.trim() || null,
    })

  return (
    <Form<Values>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={START}
      onFinish={submit}
    >
      {adding.error && (
        <Alert
          type="error"
          showIcon
          role="alert"
          title={errorSentence(t, adding.error)}
          style={{ marginBottom: 16 }}
        />
      )}
      <Form.Item name="source" label={t('hubs.source')}>
        <Radio.Group options={HUBS.map((value) => ({ value, label: t(`hubs.names.${value}`) }))} />
      </Form.Item>
      <Form.Item
        name="reference"
        label={t('hubs.reference')}
        extra={t('hubs.referenceHelp')}
        validateTrigger="onBlur"
        rules={[
          {
            validator: (_, text: string) =>
              isHubId(text ?? '')
                ? Promise.resolve()
                : Promise.reject(new Error(t('hubs.referenceRule'))),
          },
        ]}
      >
        <Input className="code-input" placeholder={SAMPLES.reference} spellCheck={false} autoFocus />
      </Form.Item>
      {OPTIONAL.map((name) => (
        <Form.Item
          key={name}
          name={name}
          label={`${t(`hubs.${name}`)} (${t('general.optional')})`}
          extra={t(`hubs.${name}Help`)}
        >
          <Input
            className="code-input"
            placeholder={SAMPLES[name]}
            spellCheck={false}
            maxLength={name === 'revision' ? 100 : 200}
          />
        </Form.Item>
      ))}
      <Button type="primary" htmlType="submit" loading={adding.isPending}>
        {t('hubs.submit')}
      </Button>
    </Form>
  )
}
