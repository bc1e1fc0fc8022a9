/** Adds a place for messages, or changes one; its address can be replaced and never seen again. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Checkbox, Flex, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { addTarget, changeTarget, targetsQuery, type NoticeKind, type NoticeTarget } from '../api'
import { allKinds } from '../kinds'
import { AddressFields } from './address-fields'
import { serviceNames, serviceOf, type ServiceName, type Values as Address } from './services'
import type { Schemas } from '@/api/client'
import { errorSentence } from '@/api/errors'
import { useLanguage } from '@/i18n/language'
import { languageCodes, languages } from '@/i18n/languages'

interface Values {
  name: string
  service: ServiceName
  address?: Address
  kinds: NoticeKind[]
  language: Schemas['Language']
}

interface Props {
  /** The one to change; without it one is added. */
  target?: NoticeTarget
  onClose: () => void
  /** Told what a webhook's messages are signed with from now on. */
  onSigned: (secret: string) => void
}

export function TargetDialog({ target, onClose, onSigned }: Props) {
  const { t } = useTranslation()
  const { code } = useLanguage()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [replace, setReplace] = useState(!target)
  const service = Form.useWatch('service', form) ?? 'webhook'
  const save = useMutation({
    mutationFn: ({ service, address, ...rest }: Values) => {
      const url = replace ? { url: serviceOf(service).url(address ?? {}) } : {}
      if (target) return changeTarget(target.id, { ...rest, ...url })
      return addTarget({ ...rest, enabled: true, url: '', ...url })
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: targetsQuery().queryKey })
      onClose()
      if (made.signing_secret) onSigned(made.signing_secret)
    },
  })
  const required = [{ required: true, whitespace: true, message: t('noticeTargets.dialog.required') }]

  return (
    <Modal
      open
      title={target ? t('noticeTargets.dialog.edit', { name: target.name }) : t('noticeTargets.dialog.add')}
      onCancel={onClose}
      onOk={form.submit}
      okText={t('noticeTargets.dialog.save')}
      cancelText={t('general.cancel')}
      confirmLoading={save.isPending}
      width={560}
    >
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={
          target ?? { name: '', service: 'webhook', kinds: allKinds, language: code }
        }
        onFinish={(values) => save.mutate(values)}
      >
        {save.error && (
          <Alert
            type="error"
            showIcon
            role="alert"
            title={errorSentence(t, save.error)}
            style={{ marginBottom: 16 }}
          />
        )}
        <Form.Item name="name" label={t('noticeTargets.dialog.name')} rules={required}>
          <Input maxLength={100} placeholder={t('noticeTargets.dialog.namePlaceholder')} />
        </Form.Item>
        {replace ? (
          <>
            <Form.Item name="service" label={t('noticeTargets.dialog.service')}>
              <Select
                showSearch={{ optionFilterProp: 'label' }}
                options={serviceNames.map((value) => ({
                  value,
                  label: t(`noticeTargets.services.${value}`),
                }))}
              />
            </Form.Item>
            <AddressFields service={service in known ? service : 'other'} />
          </>
        ) : (
          <Flex vertical gap={8} align="flex-start" style={{ marginBottom: 16 }}>
            <span className="secondary">{t('noticeTargets.dialog.keep', { url: target?.url })}</span>
            <Button size="small" onClick={() => setReplace(true)}>
              {t('noticeTargets.dialog.replace')}
            </Button>
          </Flex>
        )}
        <Form.Item
          name="kinds"
          label={t('noticeTargets.dialog.kinds')}
          // Not `required`: a group of checkboxes may not be marked so for screen readers.
          rules={[{ type: 'array', min: 1, message: t('noticeTargets.dialog.kindsRule') }]}
        >
          <Checkbox.Group
            options={allKinds.map((kind) => ({ value: kind, label: t(`notices.kinds.${kind}`) }))}
          />
        </Form.Item>
        <Form.Item name="language" label={t('noticeTargets.dialog.language')}>
          <Select options={languageCodes.map((value) => ({ value, label: languages[value].name }))} />
        </Form.Item>
      </Form>
    </Modal>
  )
}

const known = Object.fromEntries(serviceNames.map((name) => [name, true]))
