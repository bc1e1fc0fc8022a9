/** Results and configuration of the runs side by side; one column for each. */
import { CloseOutlined, LeftOutlined, RightOutlined } from '@ant-design/icons'
import { Button, Checkbox, Flex, Table, Typography, type TableColumnsType } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { configRows, type ConfigRow } from './config-rows'
import { useResultRows } from './result-rows'
import type { Compared } from './use-compared'
import { paths } from '@/app/paths'
import { JobStatusTag } from '@/components/status-tag'
import { useFormat } from '@/i18n/format'

interface HeadProps {
  run: Compared
  place: number
  count: number
  onMove: (by: -1 | 1) => void
  onRemove: () => void
}

function RunHead({ run: { task, name, colour }, place, count, onMove, onRemove }: HeadProps) {
  const { t } = useTranslation()
  return (
    <Flex vertical gap={2}>
      <span style={{ overflowWrap: 'anywhere' }}>
        <span
          aria-hidden
          style={{ display: 'inline-block', width: 12, height: 12, borderRadius: 3, background: colour, marginInlineEnd: 6 }}
        />
        <Link to={paths.task(task.id)}>{name}</Link>
      </span>
      <Flex align="center" gap={4} wrap style={{ fontWeight: 400 }}>
        <JobStatusTag status={task.status} />
        <span className="nowrap">
          <Button
            type="text"
            size="small"
            disabled={place === 0}
            icon={<LeftOutlined />}
            aria-label={t('tasks.compare.earlier', { name })}
            onClick={() => onMove(-1)}
          />
          <Button
            type="text"
            size="small"
            disabled={place === count - 1}
            icon={<RightOutlined />}
            aria-label={t('tasks.compare.later', { name })}
            onClick={() => onMove(1)}
          />
          <Button
            type="text"
            size="small"
            icon={<CloseOutlined />}
            aria-label={t('tasks.compare.remove', { name })}
            onClick={onRemove}
          />
        </span>
      </Flex>
    </Flex>
  )
}

interface TablesProps {
  runs: readonly Compared[]
  onMove: (id: string, by: -1 | 1) => void
  onRemove: (id: string) => void
  onlyDifferences: boolean
  onOnlyDifferences: (on: boolean) => void
}

export function CompareTables({ runs, onMove, onRemove, onlyDifferences, onOnlyDifferences }: TablesProps) {
  const { t } = useTranslation()
  const format = useFormat()
  const results = useResultRows(runs)
  const config = configRows(t, format, runs.map(({ task }) => task))
  const differing = config.filter(({ differs }) => differs)
  const columns = (heads: boolean): TableColumnsType<ConfigRow> => [
    {
      key: 'label',
      title: t(heads ? 'tasks.compare.results' : 'tasks.compare.setting'),
      width: 220,
      onCell: () => ({ style: { position: 'sticky', insetInlineStart: 0, zIndex: 1, background: 'var(--ant-color-bg-container)' } }),
      render: (_: unknown, { label }: ConfigRow) => <span className="secondary">{label}</span>,
    },
    ...runs.map((run, n) => ({
      key: run.task.id,
      width: 180,
      title: heads ? (
        <RunHead
          run={run}
          place={n}
          count={runs.length}
          onMove={(by) => onMove(run.task.id, by)}
          onRemove={() => onRemove(run.task.id)}
        />
      ) : (
        run.name
      ),
      className: 'numeric',
      render: (_: unknown, { values, differs }: ConfigRow) => (
        <span style={{ overflowWrap: 'anywhere', fontWeight: !heads && differs ? 600 : 400 }}>{values[n]}</span>
      ),
    })),
  ]
  const frame = { minWidth: 220 + runs.length * 180 }
  const common = { rowKey: 'key', size: 'small', pagination: false, tableLayout: 'fixed', style: frame } as const
  return (
    <Flex vertical gap={24} style={{ marginTop: 24 }}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard */}
      <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label={t('tasks.compare.results')}>
        <Table<ConfigRow> {...common} dataSource={results} columns={columns(true)} />
      </div>
      <section aria-labelledby="compared-configuration">
        <Flex justify="space-between" align="center" wrap gap={8} style={{ marginBottom: 8 }}>
          <Typography.Title id="compared-configuration" level={2} style={{ margin: 0 }}>
            {t('tasks.tabs.config')}
          </Typography.Title>
          <Checkbox checked={onlyDifferences} onChange={({ target }) => onOnlyDifferences(target.checked)}>
            {t('tasks.compare.onlyDifferences', { count: differing.length })}
          </Checkbox>
        </Flex>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above */}
        <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label={t('tasks.tabs.config')}>
          <Table<ConfigRow>
            {...common}
            dataSource={onlyDifferences ? differing : config}
            columns={columns(false)}
            locale={{ emptyText: <span className="secondary">{t('tasks.compare.same')}</span> }}
          />
        </div>
      </section>
    </Flex>
  )
}
