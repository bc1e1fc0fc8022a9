/** Deleting a data set: asks first, says who uses it. */
import { useQueryClient } from '@tanstack/react-query'
import { App } from 'antd'
import { useTranslation } from 'react-i18next'
import { deleteDataset } from './api'
import type { Schemas } from '@/api/client'
import { useConfirmDelete } from '@/components/use-confirm-delete'

export function useDeleteDataset(after?: () => void): (dataset: Schemas['Dataset']) => void {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const confirm = useConfirmDelete()
  const queries = useQueryClient()
  return ({ id, name, used_by_count: uses = 0 }) =>
    confirm({
      what: t('datasets.one'),
      name,
      consequences: uses
        ? t('datasets.delete.inUse', { count: uses })
        : t('datasets.delete.consequences'),
      typeToConfirm: uses > 0,
      onConfirm: async () => {
        await deleteDataset(id)
        after?.()
        queries.removeQueries({ queryKey: ['datasets', 'one', id] })
        await queries.invalidateQueries({ queryKey: ['datasets'] })
        message.success(t('datasets.delete.done', { name }))
      },
    })
}
