/** The heading of a part of a tab. */
import { Typography } from 'antd'

export function SectionTitle({ children }: { children: string }) {
  return <Typography.Title level={2}>{children}</Typography.Title>
}
