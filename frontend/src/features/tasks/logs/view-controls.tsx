/** How the log is shown and taken away: wrap, times, full screen, downloads, the list of keys. */
import { DownloadOutlined, FullscreenExitOutlined, FullscreenOutlined, QuestionOutlined, SettingOutlined } from '@ant-design/icons'
import { Button, Checkbox, Dropdown, Flex, Popover, Radio, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { KEYS } from './log-keys'
import { logUrl, type Params } from './log-api'
import type { LogState } from './log-state'

interface ViewProps {
  state: LogState
  onChange: (next: Partial<LogState>) => void
}

export function ViewMenu({ state, onChange }: ViewProps) {
  const { t } = useTranslation()
  const content = (
    <Flex vertical gap={8}>
      <Checkbox checked={state.wrap} onChange={({ target }) => onChange({ wrap: target.checked })}>
        {t('logs.view.wrap')}
      </Checkbox>
      <Radio.Group
        vertical
        aria-label={t('logs.view.times')}
        value={state.relative}
        onChange={({ target }) => onChange({ relative: target.value as boolean })}
        options={[
          { value: false, label: t('logs.view.absolute') },
          { value: true, label: t('logs.view.relative') },
        ]}
      />
    </Flex>
  )
  return (
    <Popover trigger="click" placement="bottomRight" content={content}>
      <Button icon={<SettingOutlined />} aria-label={t('logs.view.title')} />
    </Popover>
  )
}

/** `shown`: what is sent for the visible lines only; null when nothing is hidden. */
export function DownloadMenu({ task, attempt, shown }: { task: string; attempt: number; shown: Params | null }) {
  const { t } = useTranslation()
  const link = (key: 'text' | 'gz' | 'shownText' | 'shownGz', params: Params) => ({
    key,
    label: (
      <a href={logUrl(task, 'download', { attempt, ...params })} download>
        {t(`logs.download.${key}`)}
      </a>
    ),
  })
  const items = [
    link('text', {}),
    link('gz', { format: 'gz' }),
    ...(shown ? [{ type: 'divider' as const }, link('shownText', shown), link('shownGz', { ...shown, format: 'gz' })] : []),
  ]
  return (
    <Dropdown trigger={['click']} menu={{ items }} placement="bottomRight">
      <Button icon={<DownloadOutlined />} aria-label={t('general.download')} />
    </Dropdown>
  )
}

export function FullButton({ full, onFull }: { full: boolean; onFull: (full: boolean) => void }) {
  const { t } = useTranslation()
  const words = t(full ? 'logs.view.exitFull' : 'logs.view.full')
  return (
    <Tooltip title={words}>
      <Button
        icon={full ? <FullscreenExitOutlined /> : <FullscreenOutlined />}
        aria-label={words}
        onClick={() => onFull(!full)}
      />
    </Tooltip>
  )
}

export function KeysHelp({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  const { t } = useTranslation()
  const content = (
    <dl className="log-keys">
      {KEYS.map(({ signs, name }) => (
        <div key={name}>
          <dt>
            {signs.map((sign) => (
              <kbd key={sign}>{sign}</kbd>
            ))}
          </dt>
          <dd>{t(`logs.keys.${name}`)}</dd>
        </div>
      ))}
    </dl>
  )
  return (
    <Popover trigger="click" placement="bottomRight" open={open} onOpenChange={onOpen} title={t('logs.keys.title')} content={content}>
      <Button icon={<QuestionOutlined />} aria-label={t('logs.keys.title')} />
    </Popover>
  )
}
