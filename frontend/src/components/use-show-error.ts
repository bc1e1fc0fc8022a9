/** Says what went wrong with an action whose place on the page can not say it itself. */
import { App } from 'antd'
import { useTranslation } from 'react-i18next'
import { ApiError, errorSentence } from '@/api/errors'

export function useShowError(): (error: unknown) => void {
  const { notification } = App.useApp()
  const { t } = useTranslation()
  return (error) => {
    const requestId = error instanceof ApiError && error.status >= 500 ? error.requestId : ''
    const sentence = errorSentence(t, error)
    notification.error({
      title: t('errors.title'),
      description: requestId
        ? `${sentence} (${t('general.requestId', { id: requestId })})`
        : sentence,
      duration: 10,
      role: 'alert',
    })
  }
}
