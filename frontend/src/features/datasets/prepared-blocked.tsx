/** A version that was made of others and is held back: no file can be read again, but the steps can change. */
import { Alert, Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { AcceptDropped } from './accept-dropped'
import { errorLine } from './dataset-error'
import type { Version } from './versions/api'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'

interface Props {
  dataset: Schemas['Dataset']
  made: Version
  onShowReport: () => void
}

/** Where the steps began: an earlier version, or the data set that this one was made of. */
function prepareAgain(id: string, { parent, sources }: Version): string | null {
  if (parent !== null) return withQuery(paths.prepareDataset(id), { version: parent })
  const base = sources[0]
  return base ? withQuery(paths.prepareDataset(base.dataset_id), { version: base.version }) : null
}

export function PreparedBlocked({ dataset, made, onShowReport }: Props) {
  const { t } = useTranslation()
  const { error, counts } = dataset
  const again = prepareAgain(dataset.id, made)
  return (
    <Alert
      type="warning"
      showIcon
      role="alert"
      style={{ marginBottom: 16 }}
      title={error ? errorLine(t, error) : t('datasets.state.blocked', { count: counts.dropped })}
      description={
        <Flex vertical gap={8} align="flex-start">
          <span>{t('datasets.state.preparedHint')}</span>
          <Flex gap={8} wrap>
            {again && (
              <LinkButton type="primary" to={again}>
                {t('datasets.prepare.again')}
              </LinkButton>
            )}
            <AcceptDropped dataset={dataset} />
            <Button onClick={onShowReport}>{t('datasets.state.showReport')}</Button>
          </Flex>
        </Flex>
      }
    />
  )
}
