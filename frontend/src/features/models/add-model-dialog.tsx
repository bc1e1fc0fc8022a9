/** Adding a model by its Hugging Face id, or from a folder below the configured roots. */
import { Modal, Tabs } from 'antd'
import { useTranslation } from 'react-i18next'
import { HubForm } from './hub-form'
import { LocalFolderList } from './local-folder-list'

interface Props {
  open: boolean
  onClose: () => void
}

export function AddModelDialog({ open, onClose }: Props) {
  const { t } = useTranslation()
  return (
    <Modal
      open={open}
      title={t('models.add.title')}
      footer={null}
      onCancel={onClose}
      width={600}
      destroyOnHidden
    >
      <Tabs
        items={[
          {
            key: 'hub',
            label: t('models.add.hub'),
            children: <HubForm onDone={onClose} />,
          },
          {
            key: 'local',
            label: t('models.add.local'),
            children: <LocalFolderList onDone={onClose} />,
          },
        ]}
      />
    </Modal>
  )
}
