/** What the list shows and how it is driven: columns, single-key shortcuts. */
import { SettingOutlined } from '@ant-design/icons'
import { Button, Checkbox, Flex, Popover, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { columnTitle } from './column-title'
import { COLUMNS, type Column } from './list-view'

interface Props {
  columns: Column[]
  onColumns: (next: Column[]) => void
  keys: { on: boolean; set: (on: boolean) => void }
}

export function ViewMenu({ columns, onColumns, keys }: Props) {
  const { t } = useTranslation()
  const content = (
    <Flex vertical gap={4}>
      <Typography.Text strong>{t('tasks.view.columns')}</Typography.Text>
      {COLUMNS.map((column) => (
        <Checkbox
          key={column}
          checked={columns.includes(column)}
          onChange={({ target }) =>
            onColumns(COLUMNS.filter((each) => (each === column ? target.checked : columns.includes(each))))
          }
        >
          {columnTitle(t, column)}
        </Checkbox>
      ))}
      <Typography.Text strong style={{ marginTop: 8 }}>
        {t('tasks.view.keys')}
      </Typography.Text>
      <Checkbox checked={keys.on} onChange={({ target }) => keys.set(target.checked)}>
        {t('tasks.view.keysDetail')}
      </Checkbox>
    </Flex>
  )
  return (
    <Popover trigger="click" placement="bottomLeft" content={content}>
      <Button icon={<SettingOutlined />} aria-label={t('tasks.view.title')} />
    </Popover>
  )
}
