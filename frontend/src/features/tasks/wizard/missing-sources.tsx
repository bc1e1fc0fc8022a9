/** Nothing to choose from: what comes with EasyTune is one click away, and works without a network. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Flex } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { addExample, addStarter, examplesQuery } from './api'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { useShowError } from '@/components/use-show-error'

function Missing({ sentence, children }: { sentence: string; children: ReactNode }) {
  return (
    <Flex gap={8} wrap align="center" className="missing-source">
      <span>{sentence}</span>
      {children}
    </Flex>
  )
}

export function MissingModel() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const add = useMutation({
    mutationFn: addStarter,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
    onError: useShowError(),
  })
  return (
    <Missing sentence={t('wizard.sources.noModels')}>
      <Button type="primary" loading={add.isPending} onClick={() => add.mutate()}>
        {t('wizard.sources.addStarter')}
      </Button>
      <LinkButton to={withQuery(paths.models, { add: '1' })}>
        {t('wizard.sources.otherModels')}
      </LinkButton>
    </Missing>
  )
}

export function MissingDataset({ onAdded }: { onAdded: (id: string) => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data: examples } = useQuery(examplesQuery())
  const example = examples?.[0]
  const add = useMutation({
    mutationFn: addExample,
    onSuccess: async ({ id }) => {
      await queries.invalidateQueries({ queryKey: ['datasets'] })
      onAdded(id)
    },
    onError: useShowError(),
  })
  return (
    <Missing sentence={t('wizard.sources.noDatasets')}>
      {example && (
        <Button type="primary" loading={add.isPending} onClick={() => add.mutate(example.id)}>
          {t('wizard.sources.addExample', {
            title: t(`datasets.examples.titles.${example.id}` as 'datasets.title', {
              defaultValue: example.title,
            }),
          })}
        </Button>
      )}
      <LinkButton to={withQuery(paths.datasets, { upload: '1' })}>
        {t('wizard.sources.moreDatasets')}
      </LinkButton>
    </Missing>
  )
}
