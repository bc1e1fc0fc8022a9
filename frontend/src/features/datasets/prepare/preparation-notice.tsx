/** A version that is being made, with the way to stop it; or why it could not be made. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Flex, Progress } from 'antd'
import { useTranslation } from 'react-i18next'
import { dropPreparation } from './api'
import { errorHint, errorLine } from '../dataset-error'
import { stepText } from './step-text'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

export function PreparationNotice({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { preparation } = dataset
  if (!preparation) return null
  return preparation.status === 'running' ? (
    <Running id={dataset.id} preparation={preparation} />
  ) : (
    <Failed id={dataset.id} preparation={preparation} />
  )
}

interface Props {
  id: string
  preparation: Schemas['Preparation']
}

function useDrop(id: string, said?: string) {
  const { message } = App.useApp()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => dropPreparation(id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['datasets'] })
      if (said) message.success(said)
    },
    onError: useShowError(),
  })
}

function Running({ id, preparation }: Props) {
  const { t } = useTranslation()
  const stop = useDrop(id)
  const title = t('datasets.prepare.running', { version: preparation.version })
  return (
    <Alert
      type="info"
      showIcon
      role="status"
      style={{ marginBottom: 16 }}
      title={title}
      description={
        <Flex gap={12} align="center">
          <Progress
            percent={Math.round((preparation.progress ?? 0) * 100)}
            size="small"
            aria-label={title}
            style={{ flex: 1 }}
          />
          <Button size="small" loading={stop.isPending} onClick={() => stop.mutate()}>
            {t('datasets.prepare.stop')}
          </Button>
        </Flex>
      }
    />
  )
}

function Failed({ id, preparation }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const dismiss = useDrop(id)
  const { error, steps, version } = preparation
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      style={{ marginBottom: 16 }}
      title={t('datasets.prepare.failed', { version })}
      description={
        <Flex vertical gap={8} align="flex-start">
          {error && (
            <span>
              {errorLine(t, error)} {errorHint(t, error)}
            </span>
          )}
          <ol className="version-steps">
            {steps.map((step, index) => (
              <li key={index}>{stepText(t, format, step, (source) => source)}</li>
            ))}
          </ol>
          <Flex gap={8} wrap>
            <LinkButton type="primary" to={paths.prepareDataset(id)}>
              {t('datasets.prepare.again')}
            </LinkButton>
            <Button loading={dismiss.isPending} onClick={() => dismiss.mutate()}>
              {t('datasets.prepare.dismiss')}
            </Button>
          </Flex>
        </Flex>
      }
    />
  )
}
