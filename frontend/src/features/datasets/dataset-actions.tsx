/** What can be done with a data set: train on it, prepare it, take it along, rename, delete. */
import {
  DeleteOutlined,
  DownloadOutlined,
  EditOutlined,
  EllipsisOutlined,
  ExportOutlined,
  TableOutlined,
  ToolOutlined,
} from '@ant-design/icons'
import { Button, Dropdown } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { datasetFileUrl } from './api'
import { EditDialog } from './edit-dialog'
import { ExportDialog } from './export-dialog'
import { MappingDialog } from './mapping-dialog'
import { isMade } from './prepare/preparation-notice'
import { useDeleteDataset } from './use-delete-dataset'
import type { Schemas } from '@/api/client'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'

interface Props {
  /** As it is now. */
  dataset: Schemas['Dataset']
  /** As it is in the version that is looked at. */
  shown: Schemas['Dataset']
}

export function DatasetActions({ dataset, shown }: Props) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [dialog, setDialog] = useState<'edit' | 'export' | 'mapping' | null>(null)
  const remove = useDeleteDataset(() => void navigate(paths.datasets))
  const { id } = dataset
  const earlier = shown.version === dataset.version ? null : shown.version
  const close = () => setDialog(null)
  // Also what was recognised can be meant in another way; the stored file is read again for it.
  const mappable = dataset.status !== 'importing' && dataset.columns.length > 0 && !isMade(dataset)
  const act = {
    edit: () => setDialog('edit'),
    mapping: () => setDialog('mapping'),
    file: () => window.location.assign(datasetFileUrl(id)),
    delete: () => remove(dataset),
  }
  return (
    <>
      {shown.status === 'ready' && (
        <>
          <LinkButton
            type="primary"
            to={withQuery(paths.newTask, { dataset: id, version: earlier })}
          >
            {t('datasets.train')}
          </LinkButton>
          <LinkButton
            icon={<ToolOutlined aria-hidden />}
            to={withQuery(paths.prepareDataset(id), { version: earlier })}
          >
            {t('datasets.prepare.open')}
          </LinkButton>
          <Button icon={<ExportOutlined aria-hidden />} onClick={() => setDialog('export')}>
            {t('datasets.export.open')}
          </Button>
        </>
      )}
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'edit', icon: <EditOutlined />, label: t('datasets.edit.title') },
            ...(mappable
              ? [{ key: 'mapping', icon: <TableOutlined />, label: t('datasets.mapping.change') }]
              : []),
            ...(dataset.filename
              ? [{ key: 'file', icon: <DownloadOutlined />, label: t('datasets.downloadFile') }]
              : []),
            { key: 'delete', icon: <DeleteOutlined />, label: t('general.delete'), danger: true },
          ],
          onClick: ({ key }) => act[key as keyof typeof act](),
        }}
      >
        <Button icon={<EllipsisOutlined />} aria-label={t('general.actions')} />
      </Dropdown>
      <EditDialog dataset={dataset} open={dialog === 'edit'} onClose={close} />
      <MappingDialog dataset={dataset} open={dialog === 'mapping'} onClose={close} />
      <ExportDialog dataset={shown} open={dialog === 'export'} onClose={close} />
    </>
  )
}
