/** One upload: how far, how fast, and what can be done about it. */
import { Button, Flex, Progress, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { remainingSeconds, type Upload } from './upload-list'
import { cancelUpload, dismissUpload, pauseUpload, retryUpload } from './uploads'
import { errorSentence } from '@/api/errors'
import { paths } from '@/app/paths'
import { useFormat } from '@/i18n/format'

export function UploadRow({ upload }: { upload: Upload }) {
  const { t } = useTranslation()
  const { id, file, status } = upload
  const active = status === 'waiting' || status === 'sending' || status === 'paused'
  return (
    <li className="upload-row">
      <span className="upload-row-name" title={file.name}>
        {upload.datasetId ? <Link to={paths.dataset(upload.datasetId)}>{file.name}</Link> : file.name}
      </span>
      <UploadState upload={upload} />
      <Flex gap={4} justify="end">
        {status === 'sending' && (
          <Button size="small" onClick={() => pauseUpload(id)}>
            {t('datasets.upload.pause')}
          </Button>
        )}
        {status === 'paused' && (
          <Button size="small" onClick={() => retryUpload(id)}>
            {t('datasets.upload.resume')}
          </Button>
        )}
        {(status === 'failed' || status === 'cancelled') && (
          <Button size="small" onClick={() => retryUpload(id)}>
            {t('general.retry')}
          </Button>
        )}
        {status !== 'arrived' && (
          <Button
            size="small"
            type="text"
            onClick={() => (active ? cancelUpload(id) : dismissUpload(id))}
          >
            {active ? t('general.cancel') : t('datasets.upload.dismiss')}
          </Button>
        )}
      </Flex>
    </li>
  )
}

function UploadState({ upload }: { upload: Upload }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { file, status, sentBytes, bytesPerS, error } = upload
  switch (status) {
    case 'waiting':
      return <span className="secondary">{t('datasets.upload.waiting')}</span>
    case 'arrived':
      return <span className="secondary">{t('datasets.upload.storing')}</span>
    case 'done':
      return (
        <Typography.Text type="success" role="status">
          {upload.sameAs
            ? t('datasets.upload.sameAs', { name: upload.sameAs.name })
            : t('datasets.upload.done')}
        </Typography.Text>
      )
    case 'cancelled':
      return <span className="secondary">{t('datasets.upload.cancelled')}</span>
    case 'failed':
      return (
        <Typography.Text type="danger" role="alert">
          {errorSentence(t, error)}
        </Typography.Text>
      )
    case 'paused':
    case 'sending': {
      const left = remainingSeconds(upload)
      return (
        <Flex align="center" gap={12}>
          <Progress
            percent={file.size ? Math.floor((sentBytes / file.size) * 100) : 100}
            size="small"
            showInfo={false}
            style={{ flex: 1, minWidth: 60 }}
            aria-label={file.name}
          />
          <span className="numeric nowrap secondary">
            {[
              `${format.bytes(sentBytes)} / ${format.bytes(file.size)}`,
              status === 'paused' && t('datasets.upload.paused'),
              bytesPerS && `${format.bytes(bytesPerS)}/s`,
              left !== null && t('datasets.upload.left', { time: format.about(left) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </Flex>
      )
    }
  }
}
