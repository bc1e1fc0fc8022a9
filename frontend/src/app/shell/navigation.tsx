/** The places of the app. */
import {
  DatabaseOutlined,
  DeploymentUnitOutlined,
  DesktopOutlined,
  DoubleLeftOutlined,
  DoubleRightOutlined,
  ExperimentOutlined,
  HomeOutlined,
  MessageOutlined,
} from '@ant-design/icons'
import { Button, Tooltip } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { NavLink, Link } from 'react-router'
import { paths } from '../paths'
import './navigation.css'

export const places = [
  ['overview', paths.overview, <HomeOutlined key="icon" />],
  ['datasets', paths.datasets, <DatabaseOutlined key="icon" />],
  ['models', paths.models, <DeploymentUnitOutlined key="icon" />],
  ['tasks', paths.tasks, <ExperimentOutlined key="icon" />],
  ['playground', paths.playground, <MessageOutlined key="icon" />],
  ['system', paths.system, <DesktopOutlined key="icon" />],
] as const satisfies readonly (readonly [string, string, ReactNode])[]

interface Props {
  collapsed: boolean
  onCollapse?: (collapsed: boolean) => void
  onNavigate?: () => void
}

export function Navigation({ collapsed, onCollapse, onNavigate }: Props) {
  const { t } = useTranslation()
  return (
    <div className={onCollapse ? 'shell-nav' : undefined}>
      <nav className="navigation" aria-label={t('shell.navigation')} data-collapsed={collapsed}>
        {onCollapse && (
          <Link to={paths.overview} className="navigation-brand" aria-label={t('shell.home')}>
            <img src="/favicon.svg" alt="" width={24} height={24} />
            {!collapsed && t('shell.name')}
          </Link>
        )}
        <ul>
          {places.map(([name, to, icon]) => (
            <li key={name}>
              <Tooltip title={collapsed ? t(`shell.nav.${name}`) : ''} placement="right">
                <NavLink
                  to={to}
                  end={to === paths.overview}
                  className="navigation-link"
                  onClick={onNavigate}
                >
                  <span aria-hidden>{icon}</span>
                  <span className={collapsed ? 'visually-hidden' : undefined}>
                    {t(`shell.nav.${name}`)}
                  </span>
                </NavLink>
              </Tooltip>
            </li>
          ))}
        </ul>
        {onCollapse && (
          <Button
            type="text"
            style={{ marginTop: 'auto', width: '100%' }}
            icon={collapsed ? <DoubleRightOutlined /> : <DoubleLeftOutlined />}
            aria-label={t(collapsed ? 'shell.expand' : 'shell.collapse')}
            aria-expanded={!collapsed}
            onClick={() => onCollapse(!collapsed)}
          />
        )}
      </nav>
    </div>
  )
}
