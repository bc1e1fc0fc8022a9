/** One finding: how many rows, what it means, examples, and a version without them. */
import { InfoCircleOutlined, WarningOutlined } from '@ant-design/icons'
import { Button, Checkbox, Flex, Tooltip } from 'antd'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Finding } from './api'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { useFormat } from '@/i18n/format'

interface Props {
  dataset: Schemas['Dataset']
  finding: Finding
  /** Why no version can be made; empty when one can. */
  held: string
  chosen: boolean
  onChoose: (on: boolean) => void
  onExclude: () => void
}

export function FindingEntry({ dataset, finding, held, chosen, onChoose, onExclude }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const { name, severity, rows, columns = [], examples, excludable } = finding
  const title = t(`datasets.quality.findings.${name}.title`)
  return (
    <li className="finding">
      <Flex gap={8} align="center" wrap>
        {excludable && (
          <Checkbox checked={chosen} onChange={({ target }) => onChoose(target.checked)} aria-label={title} />
        )}
        <span className="finding-name" data-severity={severity}>
          {severity === 'warning' ? <WarningOutlined aria-hidden /> : <InfoCircleOutlined aria-hidden />}{' '}
          <strong>{title}</strong>
        </span>
        <span className="secondary">{t(`datasets.quality.severity.${severity}`)}</span>
        <span className="numeric">
          {t('datasets.rowCount', { count: rows })}
          {dataset.num_rows ? (
            <span className="secondary"> · {format.percent(rows / dataset.num_rows, 1)}</span>
          ) : null}
        </span>
        {excludable && (
          <Tooltip title={held}>
            <Button size="small" disabled={held !== ''} onClick={onExclude} className="finding-action">
              {t('datasets.quality.exclude', { count: rows })}
            </Button>
          </Tooltip>
        )}
      </Flex>
      <div className="secondary finding-detail">{t(`datasets.quality.findings.${name}.detail`)}</div>
      {columns.length > 0 && (
        <div className="secondary finding-detail">
          {t('datasets.quality.columns', {
            columns: columns.map((each) => `${each.column} (${format.number(each.rows)})`).join(', '),
          })}
        </div>
      )}
      {examples.length > 0 && (
        <details className="finding-examples">
          <summary>{t('datasets.quality.examples', { count: examples.length })}</summary>
          <ul>
            {examples.map((example, index) => (
              <li key={index}>
                <RowLink dataset={dataset} index={example.index} />
                {example.other !== null && example.other !== undefined && (
                  <span className="secondary">
                    {' → '}
                    <RowLink dataset={dataset} index={example.other} />
                  </span>
                )}{' '}
                <span className="secondary">{detailText(t, example.detail)}</span>
                {example.column && (
                  <span className="secondary"> · {t('datasets.quality.inColumn', { column: example.column })}</span>
                )}
                <div className="finding-excerpt mono">{example.excerpt}</div>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  )
}

/** How two rows are alike is a word of the server; all else it says is from the rows themselves. */
function detailText(t: TFunction, detail: string): string {
  if (detail === 'identical' || detail === 'case_and_space') return t(`datasets.quality.alike.${detail}`)
  return detail
}

export function RowLink({ dataset, index }: { dataset: Pick<Schemas['Dataset'], 'id' | 'version'>; index: number }) {
  const { t } = useTranslation()
  return (
    <Link
      className="numeric row-link"
      to={withQuery(paths.dataset(dataset.id), { tab: 'preview', version: dataset.version, open: index + 1 })}
    >
      {t('datasets.view.row', { number: index + 1 })}
    </Link>
  )
}
