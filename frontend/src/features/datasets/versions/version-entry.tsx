/** One version: facts, how it was made, who uses it, and what can be done with it. */
import { DeleteOutlined, DiffOutlined, EyeOutlined, RollbackOutlined } from '@ant-design/icons'
import { Button, Dropdown, Flex, Tag, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Version } from './api'
import { MadeOf } from './made-of'
import type { useVersionActions } from './use-version-actions'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'
import { RelativeTime } from '@/components/relative-time'
import { useFormat } from '@/i18n/format'

interface Props {
  dataset: Schemas['Dataset']
  version: Version
  others: Version[]
  /** The other tabs show this one. */
  shown: boolean
  actions: ReturnType<typeof useVersionActions>
  onCompare: (against: number) => void
}

export function VersionEntry(props: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { version } = props
  const { version: number, is_current: current, num_rows, record_type, splits } = version
  return (
    <li className="version" data-current={current || undefined}>
      <Flex gap={8} wrap align="center">
        <h3 className="plain-heading version-number">{t('datasets.versions.number', { version: number })}</h3>
        {current && <Tag color="processing">{t('datasets.versions.current')}</Tag>}
        {version.status === 'blocked' && <Tag color="warning">{t('status.dataset.blocked')}</Tag>}
        <span className="secondary">
          <RelativeTime at={version.created_at} />
          {version.made_by && ` · ${t('datasets.versions.by', { name: version.made_by })}`}
        </span>
      </Flex>
      <div className="numeric">
        {t('datasets.rowCount', { count: num_rows })} · {t(`datasets.recordTypes.${record_type}`)}
        {Object.keys(splits).length > 0 &&
          ` · ${Object.entries(splits)
            .map(([name, rows]) => `${name} ${format.number(rows)}`)
            .join(' / ')}`}
        <Tooltip title={version.sha256}>
          <span className="mono secondary version-hash">{version.sha256.slice(0, 12)}</span>
        </Tooltip>
      </div>
      <MadeOf version={version} />
      {version.used_by.length > 0 && (
        <Flex gap={8} wrap>
          <span className="secondary">{t('datasets.usedBy')}</span>
          {version.used_by.map((use) => (
            <Link key={use.task_id} to={paths.task(use.task_id)}>
              {use.name}
            </Link>
          ))}
        </Flex>
      )}
      <Actions {...props} />
    </li>
  )
}

function Actions({ dataset, version, others, shown, actions, onCompare }: Props) {
  const { t } = useTranslation()
  const { version: number, is_current: current } = version
  const busy = dataset.status === 'importing'
  const kept = current ? t('datasets.versions.keptCurrent') : busy ? t('datasets.versions.busy') : ''
  return (
    <Flex gap={8} wrap style={{ marginTop: 4 }}>
      {shown ? (
        <Tag className="version-shown">{t('datasets.versions.shown')}</Tag>
      ) : (
        <LinkButton
          size="small"
          icon={<EyeOutlined aria-hidden />}
          to={withQuery(paths.dataset(dataset.id), { tab: 'preview', version: current ? '' : number })}
        >
          {t('datasets.versions.look')}
        </LinkButton>
      )}
      {others.length > 0 && (
        <Dropdown
          trigger={['click']}
          menu={{
            items: others.map((other) => ({
              key: other.version,
              label: t('datasets.versions.with', { version: other.version }),
            })),
            onClick: ({ key }) => onCompare(Number(key)),
          }}
        >
          <Button size="small" icon={<DiffOutlined aria-hidden />}>
            {t('datasets.versions.compare')}
          </Button>
        </Dropdown>
      )}
      {!current && (
        <Button
          size="small"
          icon={<RollbackOutlined aria-hidden />}
          loading={actions.restoring === number}
          disabled={busy}
          onClick={() => actions.restore(number)}
        >
          {t('datasets.versions.makeCurrent')}
        </Button>
      )}
      <Tooltip title={kept}>
        <Button
          size="small"
          type="text"
          danger
          icon={<DeleteOutlined aria-hidden />}
          disabled={kept !== ''}
          onClick={() => actions.remove(number)}
        >
          {t('general.delete')}
        </Button>
      </Tooltip>
    </Flex>
  )
}
