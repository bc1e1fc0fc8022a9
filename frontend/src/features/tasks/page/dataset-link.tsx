/** A data set of a run: the version and the part that it was trained on or measured with. */
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'

export function DatasetLink({ dataset }: { dataset: Schemas['TaskData'] }) {
  const { t } = useTranslation()
  const { id, name, version, split } = dataset
  const facts = [
    ...(version ? [t('datasets.versions.number', { version })] : []),
    ...(split ? [t('wizard.sources.part', { name: split })] : []),
  ]
  return (
    <>
      <Link to={withQuery(paths.dataset(id), { version, split })}>{name}</Link>
      {facts.length > 0 && <span className="secondary"> {facts.join(' · ')}</span>}
    </>
  )
}
