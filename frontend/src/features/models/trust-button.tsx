/** For administrators: allow the program that a model brings along, after having read it. */
import { SafetyOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Flex, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { meQuery, trustModel } from './api'
import type { Schemas } from '@/api/client'
import { useShowError } from '@/components/use-show-error'

/** The button of a model whose program nobody has allowed; nothing for others. */
export function TrustButton({ model }: { model: Schemas['Model'] }) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const queries = useQueryClient()
  const { data: me } = useQuery(meQuery())
  const trust = useMutation({
    mutationFn: (sha256: string) => trustModel(model.id, sha256),
    onSettled: () => queries.invalidateQueries({ queryKey: ['models'] }),
    onError: useShowError(),
  })
  const { program } = model
  if (!program || program.trusted || me?.role !== 'administrator') return null
  const ask = () =>
    modal.confirm({
      title: t('models.trust.title', { name: model.name }),
      width: 560,
      content: (
        <Flex vertical gap={8}>
          <Alert type="warning" showIcon title={t('models.trust.warning')} />
          <span>{t('models.trust.files')}</span>
          <ul className="mono" style={{ margin: 0, maxHeight: 200, overflowY: 'auto' }}>
            {program.files.map((file) => (
              <li key={file}>{file}</li>
            ))}
          </ul>
          <Typography.Text type="secondary" style={{ overflowWrap: 'anywhere' }}>
            {t('models.trust.hash')} <span className="mono">{program.sha256}</span>
          </Typography.Text>
          <span>{t('models.trust.changed')}</span>
        </Flex>
      ),
      okText: t('models.trust.ok'),
      okButtonProps: { danger: true },
      cancelText: t('general.cancel'),
      focusable: { autoFocusButton: 'cancel' },
      onOk: () => trust.mutateAsync(program.sha256).catch(() => undefined),
    })
  return (
    <Button
      size="small"
      icon={<SafetyOutlined />}
      loading={trust.isPending}
      aria-label={`${t('models.trust.open')}: ${model.name}`}
      onClick={ask}
    >
      {t('models.trust.open')}
    </Button>
  )
}
