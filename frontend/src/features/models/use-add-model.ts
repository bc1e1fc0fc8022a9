/** Adding a base model: the list and the catalogue learn of it at once. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App } from 'antd'
import { useTranslation } from 'react-i18next'
import { addModel } from './api'
import { ApiError } from '@/api/errors'
import { useShowError } from '@/components/use-show-error'

/** `inForm`: the caller shows refusals itself, beside its fields. */
export function useAddModel({ inForm = false } = {}) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const queries = useQueryClient()
  const showError = useShowError()
  return useMutation({
    mutationFn: addModel,
    onSuccess: async (model) => {
      message.success(t('models.add.done', { name: model.name }))
      await queries.invalidateQueries({ queryKey: ['models'] })
    },
    onError: (error) => {
      if (!inForm || !(error instanceof ApiError)) showError(error)
    },
  })
}
