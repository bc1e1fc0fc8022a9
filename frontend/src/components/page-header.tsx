/** The head of a page: where it belongs, title, one sentence, the primary action at the right. */
import { Breadcrumb, Flex, Typography } from 'antd'
import { useEffect, type ReactNode } from 'react'
import { Link } from 'react-router'
import { setTabTitle } from './tab-title'

interface Props {
  title: ReactNode
  /** For the browser's tab; the title when that is text. */
  documentTitle?: string
  purpose?: ReactNode
  /** Where the page belongs, outermost first. */
  trail?: { label: string; to: string }[]
  /** Beside the title: a status. */
  status?: ReactNode
  actions?: ReactNode
}

export function PageHeader({ title, documentTitle, purpose, trail, status, actions }: Props) {
  const tab = documentTitle ?? (typeof title === 'string' ? title : undefined)
  useEffect(() => {
    setTabTitle({ page: tab ? `${tab} · EasyTune` : 'EasyTune' })
  }, [tab])

  return (
    <header style={{ marginBottom: 16 }}>
      {trail && (
        <Breadcrumb
          style={{ marginBottom: 4 }}
          items={trail.map(({ label, to }) => ({ title: <Link to={to}>{label}</Link> }))}
        />
      )}
      <Flex justify="space-between" align="flex-start" gap={16} wrap>
        <div style={{ minWidth: 0, flex: '1 1 320px' }}>
          <Flex align="center" gap={12} wrap>
            <Typography.Title level={1} style={{ margin: 0, overflowWrap: 'anywhere' }}>
              {title}
            </Typography.Title>
            {status}
          </Flex>
          {purpose && (
            <Typography.Paragraph type="secondary" style={{ margin: '4px 0 0', maxWidth: 720 }}>
              {purpose}
            </Typography.Paragraph>
          )}
        </div>
        {actions && (
          <Flex gap={8} wrap>
            {actions}
          </Flex>
        )}
      </Flex>
    </header>
  )
}
