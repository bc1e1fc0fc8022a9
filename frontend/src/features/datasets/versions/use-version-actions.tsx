/** Making a version the current one, with the way back, and deleting one. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { deleteVersion, restoreVersion } from './api'
import type { Schemas } from '@/api/client'
import { useConfirmDelete } from '@/components/use-confirm-delete'
import { useShowError } from '@/components/use-show-error'

export function useVersionActions(dataset: Schemas['Dataset']) {
  const { t } = useTranslation()
  const { message, notification } = App.useApp()
  const confirm = useConfirmDelete()
  const showError = useShowError()
  const queries = useQueryClient()
  const refresh = () => queries.invalidateQueries({ queryKey: ['datasets'] })

  const restore = useMutation({
    mutationFn: (version: number) => restoreVersion(dataset.id, version),
    onSuccess: async (_, version) => {
      await refresh()
      offerUndo(version, dataset.version)
    },
    onError: showError,
  })

  function offerUndo(version: number, before: number): void {
    const key = `restored-${dataset.id}`
    const undo = () => {
      notification.destroy(key)
      restoreVersion(dataset.id, before).then(async () => {
        await refresh()
        message.success(t('datasets.versions.undone', { version: before }))
      }, showError)
    }
    notification.success({
      key,
      title: t('datasets.versions.restored', { version }),
      description: t('datasets.versions.restoredDetail', { version: before }),
      actions: (
        <Button size="small" onClick={undo}>
          {t('datasets.versions.undo')}
        </Button>
      ),
      duration: 12,
    })
  }

  const remove = (version: number) =>
    confirm({
      what: t('datasets.versions.one'),
      name: t('datasets.versions.number', { version }),
      consequences: t('datasets.versions.deleteConsequences', { name: dataset.name }),
      onConfirm: async () => {
        await deleteVersion(dataset.id, version)
        await refresh()
        message.success(t('datasets.versions.deleted', { version }))
      },
    })

  return { restore: restore.mutate, restoring: restore.isPending ? restore.variables : null, remove }
}
