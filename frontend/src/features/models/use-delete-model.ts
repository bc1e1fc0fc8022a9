/** Deleting a base model: asks first, says who uses it and what happens to its files. */
import { useQueryClient } from '@tanstack/react-query'
import { App } from 'antd'
import { useTranslation } from 'react-i18next'
import { deleteModel } from './api'
import type { Schemas } from '@/api/client'
import { useConfirmDelete } from '@/components/use-confirm-delete'

export function useDeleteModel(): (model: Schemas['Model']) => void {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const confirm = useConfirmDelete()
  const queries = useQueryClient()
  return ({ id, name, source, used_by_count: uses = 0 }) => {
    const files = t(source === 'local' ? 'models.delete.keepsFiles' : 'models.delete.removesFiles')
    confirm({
      what: t('models.one'),
      name,
      consequences: uses
        ? `${t('models.delete.inUse', { count: uses })} ${files}`
        : files,
      typeToConfirm: uses > 0,
      onConfirm: async () => {
        await deleteModel(id)
        await queries.invalidateQueries({ queryKey: ['models'] })
        message.success(t('models.delete.done', { name }))
      },
    })
  }
}
