/** Where files are dropped or chosen, and how each of them travels. */
import { CloudUploadOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Typography } from 'antd'
import { useEffect, useRef, useState, type DragEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { pastedFile } from './pasted'
import { UploadRow } from './upload-row'
import { UnfinishedList, useUnfinished } from './unfinished-list'
import { addFiles, useUploads, whenUploadEnds } from './uploads'
import './upload-panel.css'

const ACCEPTED = '.json,.jsonl,.ndjson,.csv,.tsv,.txt,.md,.parquet,.gz,.zip'

export function UploadPanel() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const uploads = useUploads()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const unfinished = useUnfinished()

  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const { clipboardData, target } = event
      const writes = target instanceof Element && target.closest('input, textarea, [contenteditable]')
      if (!clipboardData || writes) return
      const text = pastedFile(clipboardData.getData('text/plain'), t('datasets.upload.pastedName'))
      const files = clipboardData.files.length ? [...clipboardData.files] : text ? [text] : []
      if (files.length) event.preventDefault()
      addFiles(files)
    }
    window.addEventListener('paste', onPaste)
    return () => window.removeEventListener('paste', onPaste)
  }, [t])

  useEffect(
    () => whenUploadEnds(() => void queries.invalidateQueries({ queryKey: ['datasets'] })),
    [queries],
  )

  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    addFiles(event.dataTransfer.files)
  }

  return (
    <section aria-label={t('datasets.upload.title')} style={{ marginBottom: 16 }}>
      <div
        className="drop-zone"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <Flex align="center" justify="center" gap={16} wrap>
          <CloudUploadOutlined aria-hidden style={{ fontSize: 24 }} />
          <div>
            <Typography.Text strong>{t('datasets.upload.drop')}</Typography.Text>
            <div className="secondary">{t('datasets.upload.formats')}</div>
          </div>
          <Button onClick={() => input.current?.click()}>{t('datasets.upload.choose')}</Button>
        </Flex>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          accept={ACCEPTED}
          aria-label={t('datasets.upload.choose')}
          onChange={(event) => {
            addFiles(event.target.files ?? [])
            event.target.value = '' // the same file may be chosen again
          }}
        />
      </div>
      {uploads.length > 0 && (
        <ul className="upload-list" aria-label={t('datasets.upload.list')}>
          {uploads.map((upload) => (
            <UploadRow key={upload.id} upload={upload} />
          ))}
        </ul>
      )}
      {unfinished.length > 0 && <UnfinishedList items={unfinished} />}
    </section>
  )
}
