/** Who is signed in, and the way out. */
import { BellOutlined, LogoutOutlined, UserOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Dropdown } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { paths } from '../paths'
import type { Schemas } from '@/api/client'
import { useShowError } from '@/components/use-show-error'
import { signOut } from '@/features/accounts/api'

export function AccountMenu({ me }: { me: Schemas['Me'] }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const leave = useMutation({
    mutationFn: signOut,
    onError: useShowError(),
    onSuccess: async () => {
      await navigate(paths.login)
      queries.clear()
    },
  })
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          {
            key: 'who',
            type: 'group',
            label: `${me.username} · ${t(`shell.account.role.${me.role}`)}`,
          },
          { key: 'notices', icon: <BellOutlined />, label: t('notices.title') },
          { key: 'sign-out', icon: <LogoutOutlined />, label: t('shell.account.signOut') },
        ],
        onClick: ({ key }) => {
          if (key === 'sign-out') leave.mutate()
          if (key === 'notices') void navigate(paths.notices)
        },
      }}
    >
      <Button
        type="text"
        icon={<UserOutlined />}
        aria-label={`${t('shell.account.label')}: ${me.username}`}
      />
    </Dropdown>
  )
}
