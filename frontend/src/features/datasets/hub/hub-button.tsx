/** Opens the form for a data set of a hub. */
import { CloudDownloadOutlined } from '@ant-design/icons'
import { Button, Modal } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { HubForm } from './hub-form'

export function HubButton() {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button icon={<CloudDownloadOutlined />} onClick={() => setOpen(true)}>
        {t('hubs.open')}
      </Button>
      <Modal
        open={open}
        title={t('hubs.title')}
        footer={null}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <HubForm onDone={() => setOpen(false)} />
      </Modal>
    </>
  )
}
