/** Nothing here yet: one sentence, the primary action, and a sample that works offline. */
import { Flex, Typography } from 'antd'
import type { ReactNode } from 'react'

interface Props {
  icon?: ReactNode
  title: ReactNode
  detail?: ReactNode
  actions?: ReactNode
}

export function EmptyState({ icon, title, detail, actions }: Props) {
  return (
    <Flex vertical align="center" gap={8} style={{ padding: '40px 16px', textAlign: 'center' }}>
      {icon && (
        <span aria-hidden style={{ fontSize: 28, color: 'var(--ant-color-text-tertiary)' }}>
          {icon}
        </span>
      )}
      <Typography.Text strong>{title}</Typography.Text>
      {detail && (
        <Typography.Text type="secondary" style={{ maxWidth: 520 }}>
          {detail}
        </Typography.Text>
      )}
      {actions && (
        <Flex gap={8} wrap justify="center" style={{ marginTop: 8 }}>
          {actions}
        </Flex>
      )}
    </Flex>
  )
}
