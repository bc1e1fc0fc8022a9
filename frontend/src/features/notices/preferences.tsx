/** Which kinds of notices the signed-in user sees, and whether the browser tells them, too. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Checkbox, Flex, Form, Switch, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { preferencesQuery, savePreferences, type NoticeKind } from './api'
import { chooseBrowserNotifications, useBrowserState } from './browser-notifications'
import { kindGroups } from './kinds'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { useShowError } from '@/components/use-show-error'

export function Preferences() {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const { data, error, refetch } = useQuery(preferencesQuery())
  const showError = useShowError()
  const save = useMutation({
    mutationFn: savePreferences,
    // Shown at once; what the server refuses goes back.
    onMutate: (kinds) => client.setQueryData(preferencesQuery().queryKey, { kinds }),
    onSuccess: () => void message.success(t('notices.preferences.saved')),
    onError: (failure) => {
      showError(failure)
      void refetch()
    },
  })
  if (error && !data) return <ErrorPanel error={error} onRetry={() => void refetch()} />
  if (!data) return <DelayedSkeleton rows={6} />
  const wanted = new Set(data.kinds)
  const toggle = (kind: NoticeKind, on: boolean) => {
    const next = new Set(wanted)
    if (on) next.add(kind)
    else next.delete(kind)
    save.mutate([...next])
  }
  return (
    <Flex vertical gap={16} style={{ maxWidth: 720 }}>
      <span className="secondary">{t('notices.preferences.help')}</span>
      {(Object.keys(kindGroups) as (keyof typeof kindGroups)[]).map((group) => (
        <fieldset key={group} style={{ border: 'none', margin: 0, padding: 0 }}>
          <legend style={{ padding: 0, marginBottom: 8, fontWeight: 600 }}>
            {t(`notices.preferences.${group}`)}
          </legend>
          <Flex vertical gap={4}>
            {kindGroups[group].map((kind) => (
              <Checkbox
                key={kind}
                checked={wanted.has(kind)}
                onChange={(event) => toggle(kind, event.target.checked)}
              >
                {t(`notices.kinds.${kind}`)}
              </Checkbox>
            ))}
          </Flex>
        </fieldset>
      ))}
      <BrowserSwitch />
    </Flex>
  )
}

function BrowserSwitch() {
  const { t } = useTranslation()
  const state = useBrowserState()
  const showError = useShowError()
  const help = { missing: 'browserMissing', denied: 'browserDenied', off: 'browserHelp', on: 'browserHelp' } as const
  return (
    <Form layout="vertical">
      <Form.Item label={t('notices.preferences.browser')} style={{ margin: 0 }}>
        <Flex gap={12} align="center">
          <Switch
            aria-label={t('notices.preferences.browser')}
            checked={state === 'on'}
            disabled={state === 'missing' || state === 'denied'}
            onChange={(on) => void chooseBrowserNotifications(on).catch(showError)}
          />
          <Typography.Text type="secondary">{t(`notices.preferences.${help[state]}`)}</Typography.Text>
        </Flex>
      </Form.Item>
    </Form>
  )
}
