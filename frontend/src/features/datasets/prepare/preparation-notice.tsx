/** A version that is being made, with the way to stop it; or why it could not be made. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Flex, Progress } from 'antd'
import { useTranslation } from 'react-i18next'
import { dropPreparation } from './api'
import { errorHint, errorLine } from '../dataset-error'
import { stepText } from './step-text'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

/** Made of other data sets: there is no file that could be read again. */
export const isMade = (dataset: Schemas['Dataset']): boolean =>
  dataset.filename === null && !('source' in dataset && dataset.source)

export function PreparationNotice({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const { id, preparation, status, progress, error } = dataset
  if (isMade(dataset) && status === 'importing') {
    return <Running id={id} title={t('datasets.prepare.runningFirst')} progress={progress} />
  }
  if (isMade(dataset) && status === 'failed' && error) return <NeverMade error={error} />
  if (!preparation) return null
  if (preparation.status === 'failed') return <Failed id={id} preparation={preparation} />
  const title = t('datasets.prepare.running', { version: preparation.version })
  return <Running id={id} title={title} progress={preparation.progress} />
}

/** The first version of a data set of its own could not be made: there is nothing to go back to. */
function NeverMade({ error }: { error: Schemas['DatasetError'] }) {
  const { t } = useTranslation()
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      style={{ marginBottom: 16 }}
      title={errorLine(t, error)}
      description={
        <Flex vertical gap={8} align="flex-start">
          <span>{errorHint(t, error)}</span>
          <span>{t('datasets.prepare.neverMade')}</span>
        </Flex>
      }
    />
  )
}

interface Props {
  id: string
  preparation: Schemas['Preparation']
}

function useDrop(id: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => dropPreparation(id),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['datasets'] }),
    onError: useShowError(),
  })
}

interface RunningProps {
  id: string
  title: string
  progress: number | null
}

function Running({ id, title, progress }: RunningProps) {
  const { t } = useTranslation()
  const stop = useDrop(id)
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
            percent={Math.round((progress ?? 0) * 100)}
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
