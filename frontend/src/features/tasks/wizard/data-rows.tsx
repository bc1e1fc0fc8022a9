/** Which version and which part of it: shown where there is something to choose, and said in words. */
import { Flex, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { useChosenVersion, usePart, usualPart, type Version } from './use-part'
import type { Wizard } from './use-wizard'
import { useFormat } from '@/i18n/format'

export function DataRows({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { values } = wizard.state
  const { versions, chosen } = useChosenVersion(wizard, values.dataset_id, values.dataset_version)
  const part = usePart(wizard)
  const names = Object.keys(chosen?.splits ?? {})
  if (versions.length < 2 && names.length === 0 && values.dataset_version === null) return null
  const edit = (changed: Partial<typeof values>) => wizard.dispatch({ type: 'edit', values: changed })
  const rows = (name: string) => format.number(chosen?.splits[name])
  const own = values.validation_dataset_id === null
  return (
    <div className="data-rows">
      <Flex gap={8} wrap>
        <VersionSelect
          versions={versions}
          value={values.dataset_version}
          onChange={(dataset_version) =>
            edit({ dataset_version, dataset_split: null, ...(own && { validation_split: null }) })
          }
        />
        {names.length > 0 && (
          <PartSelect
            label={t('wizard.sources.trainPart')}
            version={chosen}
            value={part.train}
            onChange={(dataset_split) => edit({ dataset_split })}
          />
        )}
        {names.length > 0 && own && (
          <PartSelect
            label={t('wizard.sources.validPart')}
            version={chosen}
            value={part.validation}
            except={part.train}
            onChange={(validation_split) => edit({ validation_split })}
          />
        )}
      </Flex>
      {names.length > 0 && part.train && (
        <p className="secondary numeric" role="status">
          {part.validation
            ? t('wizard.sources.divided', {
                train: part.train,
                trainRows: rows(part.train),
                validation: part.validation,
                validationRows: rows(part.validation),
              })
            : t('wizard.sources.partOnly', { train: part.train, trainRows: rows(part.train) })}
        </p>
      )}
    </div>
  )
}

/** The same for a validation set of its own. */
export function ValidationRows({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { values } = wizard.state
  const { validation_dataset_id: id, validation_version: number } = values
  const { versions, chosen } = useChosenVersion(wizard, id, number)
  const names = Object.keys(chosen?.splits ?? {})
  if (id === null || (versions.length < 2 && names.length === 0 && number === null)) return null
  const edit = (changed: Partial<typeof values>) => wizard.dispatch({ type: 'edit', values: changed })
  return (
    <Flex gap={8} wrap className="data-rows">
      <VersionSelect
        versions={versions}
        value={number}
        onChange={(validation_version) => edit({ validation_version, validation_split: null })}
      />
      {names.length > 0 && (
        <PartSelect
          label={t('wizard.sources.validPart')}
          version={chosen}
          value={values.validation_split ?? usualPart(chosen, 'validation')}
          onChange={(validation_split) => edit({ validation_split })}
        />
      )}
    </Flex>
  )
}

interface VersionProps {
  versions: Version[]
  value: number | null
  onChange: (version: number | null) => void
}

function VersionSelect({ versions, value, onChange }: VersionProps) {
  const { t } = useTranslation()
  const format = useFormat()
  const current = versions.find((each) => each.is_current)
  const name = (version: Version) =>
    `${t('datasets.versions.number', { version: version.version })} · ${t('wizard.sources.rows', {
      count: version.num_rows,
      n: format.number(version.num_rows),
    })}`
  return (
    <Select
      value={value ?? 0}
      onChange={(next) => onChange(next || null)}
      aria-label={t('datasets.version')}
      popupMatchSelectWidth={false}
      labelRender={({ label }) => label ?? t('wizard.sources.gone')}
      options={[
        { value: 0, label: current ? t('wizard.sources.newest', { version: name(current) }) : t('datasets.prepare.currentVersion') },
        ...versions.map((version) => ({ value: version.version, label: name(version) })),
      ]}
    />
  )
}

interface PartProps {
  label: string
  version: Version | undefined
  value: string | null
  /** A part that is trained on is not measured with. */
  except?: string | null
  onChange: (part: string | null) => void
}

function PartSelect({ label, version, value, except, onChange }: PartProps) {
  const format = useFormat()
  return (
    <Select
      value={value ?? undefined}
      onChange={(next: string | undefined) => onChange(next ?? null)}
      aria-label={label}
      prefix={<span className="secondary">{label}</span>}
      placeholder={'–'}
      popupMatchSelectWidth={false}
      style={{ minWidth: 200 }}
      options={Object.entries(version?.splits ?? {}).map(([name, rows]) => ({
        value: name,
        label: `${name} · ${format.number(rows)}`,
        disabled: name === except,
      }))}
    />
  )
}
