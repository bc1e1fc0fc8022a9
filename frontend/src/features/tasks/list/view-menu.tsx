/** What the list shows and how it is driven: columns with their order, single-key shortcuts. */
import { ArrowDownOutlined, ArrowUpOutlined, PushpinFilled, PushpinOutlined, SettingOutlined } from '@ant-design/icons'
import { Button, Checkbox, Flex, Popover, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { columnTitle } from './column-title'
import { COLUMNS, moved, type Column, type ColumnKey } from './list-view'

interface Props {
  columns: Column[]
  onColumns: (next: Column[]) => void
  pinned: readonly string[]
  onPinned: (next: string[]) => void
  keys: { on: boolean; set: (on: boolean) => void }
}

export function ViewMenu({ columns, onColumns, pinned, onPinned, keys }: Props) {
  const { t } = useTranslation()
  const hidden = COLUMNS.filter((each) => !columns.includes(each))
  const pin = (column: ColumnKey) => {
    const on = pinned.includes(column)
    const title = columnTitle(t, column)
    return (
      <Button
        type="text"
        size="small"
        aria-pressed={on}
        icon={on ? <PushpinFilled /> : <PushpinOutlined />}
        aria-label={t('tasks.view.pin', { column: title })}
        onClick={() => onPinned(on ? pinned.filter((each) => each !== column) : [...pinned, column])}
      />
    )
  }
  const content = (
    <Flex vertical gap={4} style={{ minWidth: 260 }}>
      <Typography.Text strong>{t('tasks.view.columns')}</Typography.Text>
      {(['status', 'name'] as const).map((column) => (
        <Flex key={column} justify="space-between" align="center">
          <Checkbox checked disabled>
            {columnTitle(t, column)}
          </Checkbox>
          {pin(column)}
        </Flex>
      ))}
      {[...columns, ...hidden].map((column) => {
        const shown = columns.includes(column)
        const title = columnTitle(t, column)
        return (
          <Flex key={column} justify="space-between" align="center">
            <Checkbox
              checked={shown}
              onChange={() =>
                onColumns(shown ? columns.filter((each) => each !== column) : [...columns, column])
              }
            >
              {title}
            </Checkbox>
            {shown && (
              <span className="nowrap">
                <Button
                  type="text"
                  size="small"
                  disabled={columns[0] === column}
                  icon={<ArrowUpOutlined />}
                  aria-label={t('tasks.view.earlier', { column: title })}
                  onClick={() => onColumns(moved(columns, column, -1))}
                />
                <Button
                  type="text"
                  size="small"
                  disabled={columns.at(-1) === column}
                  icon={<ArrowDownOutlined />}
                  aria-label={t('tasks.view.later', { column: title })}
                  onClick={() => onColumns(moved(columns, column, 1))}
                />
                {pin(column)}
              </span>
            )}
          </Flex>
        )
      })}
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
