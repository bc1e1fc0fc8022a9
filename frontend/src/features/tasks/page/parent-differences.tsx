/** How a clone differs from the run whose values it took over. */
import { useQuery } from '@tanstack/react-query'
import { Flex, Table, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { taskQuery, type Task } from '../api'
import { configRows, type ConfigRow } from '../compare/config-rows'
import { paths, withQuery } from '@/app/paths'
import { useFormat } from '@/i18n/format'

export function ParentDifferences({ task }: { task: Task }) {
  if (!task.parent_id) return null
  return <Differences task={task} parentId={task.parent_id} />
}

function Differences({ task, parentId }: { task: Task; parentId: string }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { data: parent } = useQuery(taskQuery(parentId))
  if (!parent) return null
  const rows = configRows(t, format, [parent, task]).filter(({ differs }) => differs)
  return (
    <section style={{ margin: '16px 0' }} aria-labelledby="parent-differences">
      <Flex justify="space-between" align="baseline" wrap gap={8}>
        <Typography.Title id="parent-differences" level={2} style={{ margin: 0 }}>
          {t('tasks.parent.title')}{' '}
          <Link to={paths.task(parent.id)}>{parent.name}</Link>
        </Typography.Title>
        <Link to={withQuery(paths.compareTasks, { ids: `${parent.id},${task.id}` })}>
          {t('tasks.compare.withParent')}
        </Link>
      </Flex>
      {rows.length === 0 ? (
        <p className="secondary">{t('tasks.parent.same')}</p>
      ) : (
        <Table<ConfigRow>
          rowKey="key"
          size="small"
          pagination={false}
          style={{ marginTop: 8 }}
          dataSource={rows}
          columns={[
            { key: 'label', title: t('tasks.compare.setting'), dataIndex: 'label' },
            { key: 'before', title: t('tasks.parent.before'), render: (_, { values }) => values[0], className: 'numeric' },
            { key: 'now', title: t('tasks.parent.now'), render: (_, { values }) => <strong>{values[1]}</strong>, className: 'numeric' },
          ]}
        />
      )}
    </section>
  )
}
