/** The rows as a file for other programs: what each form is for, and what it can not express. */
import { DownloadOutlined } from '@ant-design/icons'
import { Alert, Button, Modal, Radio, Select } from 'antd'
import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { exportUrl, tryExport, EXPORT_FORMATS, type ExportFormat } from './export-file'
import { datasetVersionsQuery } from './versions/api'
import type { Schemas } from '@/api/client'
import { errorSentence } from '@/api/errors'
import './view/rows.css'

interface Props {
  dataset: Schemas['Dataset']
  open: boolean
  onClose: () => void
}

/** Forms that have the columns beside the records, too. */
const WHOLE = new Set<ExportFormat>(['jsonl', 'parquet'])

export function ExportDialog({ dataset, open, onClose }: Props) {
  const { t } = useTranslation()
  const [format, setFormat] = useState<ExportFormat>('jsonl')
  const [split, setSplit] = useState('')
  const [refusal, setRefusal] = useState<unknown>(null)
  const [trying, setTrying] = useState(false)
  const versions = useQuery({ ...datasetVersionsQuery(dataset), enabled: open })
  const splits = versions.data?.items.find(({ version }) => version === dataset.version)?.splits ?? {}
  const names = Object.keys(splits)

  async function download(): Promise<void> {
    setTrying(true)
    setRefusal(null)
    try {
      await tryExport(dataset, format, split)
    } catch (error) {
      setRefusal(error)
      return
    } finally {
      setTrying(false)
    }
    const link = document.createElement('a')
    link.href = exportUrl(dataset, format, split)
    link.download = ''
    link.click()
    onClose()
  }

  return (
    <Modal
      open={open}
      title={t('datasets.export.title', { version: dataset.version })}
      onCancel={onClose}
      footer={[
        <Button key="cancel" onClick={onClose}>
          {t('general.cancel')}
        </Button>,
        <Button
          key="download"
          type="primary"
          icon={<DownloadOutlined aria-hidden />}
          loading={trying}
          onClick={() => void download()}
        >
          {t('datasets.export.download')}
        </Button>,
      ]}
      destroyOnHidden
    >
      <Radio.Group
        value={format}
        onChange={({ target }) => {
          setFormat(target.value as ExportFormat)
          setRefusal(null)
        }}
        className="export-formats"
        options={EXPORT_FORMATS.map((value) => ({
          value,
          label: (
            <span>
              <strong>{t(`datasets.export.formats.${value}.name`)}</strong>
              <span className="secondary export-detail">{t(`datasets.export.formats.${value}.detail`)}</span>
            </span>
          ),
        }))}
      />
      {!WHOLE.has(format) && (
        <p className="secondary" style={{ margin: '12px 0 0' }}>
          {t('datasets.export.recordsOnly')}
        </p>
      )}
      {names.length > 0 && (
        <Select
          value={split}
          onChange={setSplit}
          aria-label={t('datasets.rowView.split')}
          style={{ width: '100%', marginTop: 12 }}
          options={[
            { value: '', label: t('datasets.rowView.allSplits') },
            ...names.map((name) => ({
              value: name,
              label: `${name} · ${t('datasets.rowCount', { count: splits[name] ?? 0 })}`,
            })),
          ]}
        />
      )}
      {refusal !== null && (
        <Alert type="error" showIcon role="alert" style={{ marginTop: 12 }} title={errorSentence(t, refusal)} />
      )}
    </Modal>
  )
}
