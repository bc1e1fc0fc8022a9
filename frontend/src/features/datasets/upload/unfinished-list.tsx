/** Uploads of an earlier visit: what is missing, and how to go on. */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { isTaken, useUploads } from './uploads'
import { api, take, type Schemas } from '@/api/client'
import { listUploads, removeUpload } from '@/api/resumable-upload'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

const unfinishedQuery = queryOptions({
  queryKey: ['datasets', 'uploads'],
  queryFn: ({ signal }) => listUploads(signal),
})

/** Those that nothing in this tab goes on with. */
export function useUnfinished(): Schemas['Upload'][] {
  useUploads() // what is taken changes with them
  const { data } = useQuery(unfinishedQuery)
  return (data ?? []).filter(({ id }) => !isTaken(id))
}

export function UnfinishedList({ items }: { items: Schemas['Upload'][] }) {
  const { t } = useTranslation()
  return (
    <ul className="upload-list" aria-label={t('datasets.upload.unfinished')}>
      {items.map((item) => (
        <UnfinishedRow key={item.id} item={item} />
      ))}
    </ul>
  )
}

function UnfinishedRow({ item }: { item: Schemas['Upload'] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const queries = useQueryClient()
  const showError = useShowError()
  const settle = {
    onError: showError,
    onSettled: () => queries.invalidateQueries({ queryKey: ['datasets'] }),
  }
  const discard = useMutation({ mutationFn: () => removeUpload(item.id), ...settle })
  const store = useMutation({
    mutationFn: () =>
      take(
        api.POST('/api/v1/datasets', {
          body: { uploads: [item.id] },
          headers: { 'Idempotency-Key': item.id },
        }),
      ),
    ...settle,
  })
  const whole = item.offset_bytes === item.size_bytes
  const share = item.offset_bytes / Math.max(1, item.size_bytes)
  return (
    <li className="upload-row">
      <span className="upload-row-name" title={item.filename}>
        {item.filename}
      </span>
      <span className="secondary">
        {whole
          ? t('datasets.upload.arrivedBefore')
          : t('datasets.upload.chooseAgain', { share: format.percent(share) })}
      </span>
      <Flex gap={4} justify="end">
        {whole && (
          <Button size="small" loading={store.isPending} onClick={() => store.mutate()}>
            {t('datasets.upload.import')}
          </Button>
        )}
        <Button
          size="small"
          type="text"
          loading={discard.isPending}
          onClick={() => discard.mutate()}
        >
          {t('datasets.upload.discard')}
        </Button>
      </Flex>
    </li>
  )
}
