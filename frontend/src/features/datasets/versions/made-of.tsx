/** How a version came to be: an import with what was recognised, or the steps that made it. */
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Version } from './api'
import { stepText } from '../prepare/step-text'
import { paths, withQuery } from '@/app/paths'
import { useFormat } from '@/i18n/format'

export function MadeOf({ version }: { version: Version }) {
  return version.steps.length > 0 ? <Steps version={version} /> : <Imported version={version} />
}

function Imported({ version }: { version: Version }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { format: shape, encoding, delimiter, mapping, counts } = version
  const named = [
    ...Object.entries(mapping?.columns ?? {}),
    ...(mapping?.label_columns ?? []).map((column) => ['label', column]),
  ]
  const columns = named.map(([part, column]) => `${part} ← ${column}`)
  const facts = [
    shape && t(`datasets.formats.${shape}` as 'datasets.format', { defaultValue: shape }),
    encoding,
    delimiter && t('datasets.report.delimiter', { delimiter: delimiter === '\t' ? '⇥' : delimiter }),
    ...(counts.repaired > 0 ? [t('datasets.versions.repaired', { count: counts.repaired })] : []),
    ...(counts.dropped > 0 ? [t('datasets.versions.dropped', { count: counts.dropped })] : []),
  ].filter(Boolean)
  return (
    <div>
      {t('datasets.versions.imported')} <span className="secondary">{facts.join(' · ')}</span>
      {columns.length > 0 && (
        <div className="secondary">
          {t('datasets.versions.mapping')} <span className="mono">{format.list(columns)}</span>
        </div>
      )}
    </div>
  )
}

function Steps({ version }: { version: Version }) {
  const { t } = useTranslation()
  const format = useFormat()
  const nameOf = (id: string) => version.sources.find((each) => each.dataset_id === id)?.name ?? id
  return (
    <div>
      {version.parent === null
        ? t('datasets.versions.prepared')
        : t('datasets.versions.preparedFrom', { version: version.parent })}
      <ol className="version-steps">
        {version.steps.map((step, index) => (
          <li key={index}>
            {stepText(t, format, step, nameOf)} <RowsThrough step={step} />
          </li>
        ))}
      </ol>
      {version.sources.length > 0 && (
        <div className="secondary">
          {t('datasets.versions.sources')}{' '}
          {version.sources.map((source, index) => (
            <span key={`${source.dataset_id} ${source.version}`}>
              {index > 0 && ' · '}
              <Link to={withQuery(paths.dataset(source.dataset_id), { version: source.version })}>
                {source.name}
              </Link>{' '}
              {t('datasets.versions.number', { version: source.version })}
            </span>
          ))}
        </div>
      )}
    </div>
  )
}

/** `120 → 100 rows`, where the step says so. */
function RowsThrough({ step }: { step: Record<string, unknown> }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { rows_in: before, rows_out: after } = step
  if (typeof before !== 'number' || typeof after !== 'number') return null
  return (
    <span className="secondary numeric">
      {t('datasets.versions.rowsThrough', { before: format.number(before), after: format.number(after) })}
    </span>
  )
}
