/** Takes the rows that can be used, without those that can not; offered where some can. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { updateDataset } from './api'
import type { Schemas } from '@/api/client'
import { useShowError } from '@/components/use-show-error'

export function AcceptDropped({ dataset }: { dataset: Schemas['Dataset'] }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { id, status, counts } = dataset
  const accept = useMutation({
    mutationFn: () => updateDataset(id, { max_dropped_rows: counts.dropped }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['datasets'] }),
    onError: useShowError(),
  })
  if (status !== 'blocked' || counts.kept + counts.repaired === 0) return null
  return (
    <Button loading={accept.isPending} onClick={() => accept.mutate()}>
      {t('datasets.state.accept', { count: counts.dropped })}
    </Button>
  )
}
