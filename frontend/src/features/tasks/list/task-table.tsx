/** Runs in a table: any columns in any order, sorted by several, the pinned ones always in view. */
import { Table, type TableProps } from 'antd'
import type { CSSProperties } from 'react'
import { useTranslation } from 'react-i18next'
import type { Task } from '../api'
import { columnTitle } from './column-title'
import { isSortKey, parseSorts, toggledSort, type Column, type ColumnKey } from './list-view'
import { useCells, type Cell } from './task-cells'
import './task-table.css'

interface Props {
  items: Task[]
  columns: readonly Column[]
  pinned: readonly string[]
  sort: string
  onSort: (sort: string) => void
  selected: readonly string[]
  onSelect: (ids: readonly string[]) => void
}

const CHECKBOX_PX = 32

/** Pinned columns come first and stay where they are while the rest moves below them. */
function arranged(columns: readonly Column[], pinned: readonly string[]): ColumnKey[] {
  const all: ColumnKey[] = ['status', 'name', ...columns]
  const isPinned = (key: ColumnKey) => pinned.includes(key)
  return [...all.filter(isPinned), ...all.filter((key) => !isPinned(key))]
}

const stuck = (left: number): CSSProperties => ({ position: 'sticky', insetInlineStart: left, zIndex: 2 })
/** What moves below a pinned cell must not shine through it. */
const GROUND = {
  cell: 'var(--ant-color-bg-container)',
  selected: 'linear-gradient(var(--ant-control-item-bg-active) 0 0) var(--ant-color-bg-container)',
  head: 'var(--ant-table-header-bg, var(--ant-color-bg-layout))',
}

const on = (place: CSSProperties | undefined, background: string) => place && { ...place, background }

/** Where each pinned column stands; nothing for the others. */
function placesOf(order: ColumnKey[], pinned: readonly string[], cells: Record<ColumnKey, Cell>) {
  let left = 0
  return new Map(
    order
      .filter((key) => pinned.includes(key))
      .map((key) => {
        const place: [ColumnKey, CSSProperties] = [key, stuck(left)]
        left += cells[key].width
        return place
      }),
  )
}

export function TaskTable({ items, columns, pinned, sort, onSort, selected, onSelect }: Props) {
  const { t } = useTranslation()
  const cells = useCells()
  const sorts = parseSorts(sort)
  const order = arranged(columns, pinned)
  const places = placesOf(order, pinned, cells)
  const width = order.reduce((sum, key) => sum + cells[key].width, CHECKBOX_PX)
  const onChange: TableProps<Task>['onChange'] = (_pages, _filters, sorter) => {
    // The table tells all that are in force; the one that differs was clicked.
    const all = Array.isArray(sorter) ? sorter : [sorter]
    const clicked = order.find((key) => {
      const before = sorts.find((each) => each.key === key)
      const now = all.find(({ columnKey }) => columnKey === key)?.order ?? null
      return now !== (before ? (before.descending ? 'descend' : 'ascend') : null)
    })
    if (clicked && isSortKey(clicked)) onSort(toggledSort(sort, clicked))
  }
  // Scrolled by its own frame: the table's way doubles the header, checkbox and all.
  return (
    <div style={{ overflowX: 'auto' }}>
      <Table<Task>
        rowKey="id"
        size="small"
        tableLayout="fixed"
        style={{ minWidth: width }}
        dataSource={items}
        pagination={false}
        locale={{ emptyText: <span className="secondary">{t('general.noMatch')}</span> }}
        onChange={onChange}
        columns={order.map((key) => {
          const { width, figures, render } = cells[key]
          const place = sorts.findIndex((each) => each.key === key)
          const found = sorts[place]
          const title = columnTitle(t, key)
          return {
            key,
            width,
            align: figures ? ('end' as const) : undefined,
            className: figures ? 'numeric' : undefined,
            title: found && sorts.length > 1 ? `${title} ${place + 1}` : title,
            // The rows come sorted; the table only shows the arrows.
            sorter: isSortKey(key) && { multiple: 1 },
            showSorterTooltip: false,
            sortOrder: found ? (found.descending ? 'descend' : 'ascend') : null,
            onCell: ({ id }) => ({
              style: on(places.get(key), selected.includes(id) ? GROUND.selected : GROUND.cell),
            }),
            onHeaderCell: () => ({ style: on(places.get(key), GROUND.head) }),
            render: (_: unknown, task: Task) => render(task),
          }
        })}
        rowSelection={{
          columnWidth: CHECKBOX_PX,
          selectedRowKeys: [...selected],
          preserveSelectedRowKeys: true,
          onChange: (keys) => onSelect(keys.map(String)),
          getCheckboxProps: ({ name }) => ({ 'aria-label': name }),
        }}
      />
    </div>
  )
}
