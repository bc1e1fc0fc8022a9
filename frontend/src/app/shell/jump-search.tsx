/** The search of the bar (Ctrl K): jump to any page, run, data set, model or action. */
import { SearchOutlined } from '@ant-design/icons'
import { Button, Modal } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { JumpPanel } from './jump-panel'

const onApple = /Mac|iPhone|iPad/.test(navigator.userAgent)
const SHORTCUT = onApple ? '⌘K' : 'Ctrl K'

export function JumpSearch({ compact }: { compact: boolean }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(onApple ? event.metaKey : event.ctrlKey)) return
      event.preventDefault()
      setOpen((before) => !before)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])

  return (
    <>
      {compact ? (
        <Button
          type="text"
          icon={<SearchOutlined />}
          aria-label={t('shell.jump.open')}
          onClick={() => setOpen(true)}
        />
      ) : (
        <button type="button" className="jump-button" onClick={() => setOpen(true)}>
          <SearchOutlined aria-hidden />
          <span style={{ flex: 1 }}>{t('shell.jump.open')}</span>
          <kbd>{SHORTCUT}</kbd>
        </button>
      )}
      <Modal
        open={open}
        onCancel={() => setOpen(false)}
        footer={null}
        closable={false}
        title={<span className="visually-hidden">{t('shell.jump.title')}</span>}
        width={600}
        style={{ top: 80 }}
        styles={{ container: { padding: 0 }, header: { margin: 0, height: 0 } }}
        destroyOnHidden
      >
        <JumpPanel onDone={() => setOpen(false)} />
      </Modal>
    </>
  )
}
