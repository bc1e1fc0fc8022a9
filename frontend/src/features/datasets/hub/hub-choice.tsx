/** The next step for a data set of a hub that is not here: choose a part of it, or try again. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isChoice } from './hub-api'
import { updateDataset } from '../api'
import type { Schemas } from '@/api/client'
import { useShowError } from '@/components/use-show-error'

interface Props {
  dataset: Schemas['Dataset']
  source: Schemas['DatasetSource']
}

export function HubChoice({ dataset, source }: Props) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const subsets = source.choices
  const asked = subsets.find(({ name }) => name === source.subset)
  const [subset, setSubset] = useState(asked?.name ?? subsets[0]?.name)
  const splits = subsets.find(({ name }) => name === subset)?.splits ?? []
  const [split, setSplit] = useState(source.split ?? undefined)
  const known = split !== undefined && splits.includes(split) ? split : splits[0]
  const fetchAgain = useMutation({
    mutationFn: (body: Schemas['DatasetUpdate']) => updateDataset(dataset.id, body),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['datasets'] }),
    onError: useShowError(),
  })
  if (!isChoice(dataset.error) || subsets.length === 0) {
    return (
      <Button
        type="primary"
        loading={fetchAgain.isPending}
        onClick={() => fetchAgain.mutate({ revision: source.revision ?? null })}
      >
        {t('hubs.again')}
      </Button>
    )
  }
  return (
    <Flex gap={8} wrap align="center">
      {subsets.length > 1 && (
        <Select
          value={subset}
          onChange={setSubset}
          showSearch
          aria-label={t('hubs.subset')}
          style={{ minWidth: 180 }}
          options={subsets.map(({ name }) => ({ value: name, label: name }))}
        />
      )}
      <Select
        value={known}
        onChange={setSplit}
        showSearch
        aria-label={t('hubs.split')}
        style={{ minWidth: 140 }}
        options={splits.map((value) => ({ value, label: value }))}
      />
      <Button
        type="primary"
        loading={fetchAgain.isPending}
        onClick={() => fetchAgain.mutate({ subset: subset ?? null, split: known ?? null })}
      >
        {t('hubs.fetch')}
      </Button>
    </Flex>
  )
}
