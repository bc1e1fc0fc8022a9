/** All notices, which of them one sees, and, for administrators, where else they are sent. */
import { useQuery } from '@tanstack/react-query'
import { Tabs } from 'antd'
import { useTranslation } from 'react-i18next'
import { meQuery } from './api'
import { NoticeList } from './notice-list'
import { Preferences } from './preferences'
import { TargetList } from './targets/target-list'
import { PageHeader } from '@/components/page-header'
import { useSearchState } from '@/components/use-search-state'

export function NoticesPage() {
  const { t } = useTranslation()
  const { data: me } = useQuery(meQuery())
  const [{ tab }, setSearch] = useSearchState({ tab: 'list' })
  const items = [
    { key: 'list', label: t('notices.tabs.list'), children: <NoticeList /> },
    { key: 'preferences', label: t('notices.tabs.preferences'), children: <Preferences /> },
    ...(me?.role === 'administrator'
      ? [{ key: 'targets', label: t('notices.tabs.targets'), children: <TargetList /> }]
      : []),
  ]
  const shown = items.some(({ key }) => key === tab) ? tab : 'list'
  return (
    <>
      <PageHeader title={t('notices.title')} purpose={t('notices.purpose')} />
      <Tabs
        activeKey={shown}
        onChange={(key) => setSearch({ tab: key })}
        items={items}
        destroyOnHidden
      />
    </>
  )
}
