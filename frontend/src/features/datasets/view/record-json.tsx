/** A record as raw JSON, with a button that copies all of it. */
import { CopyOutlined } from '@ant-design/icons'
import { App, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { CutText } from './cut-text'

export function RecordJson({ record, query }: { record: unknown; query?: string | undefined }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const text = JSON.stringify(record, null, 2)
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => message.success(t('general.copied')),
      () => message.error(t('general.copyFailed')),
    )
  return (
    <div className="record-json">
      {/* A page of plain HTTP on another host has no clipboard. */}
      {window.isSecureContext && (
        <Button
          size="small"
          type="text"
          className="record-copy"
          icon={<CopyOutlined aria-hidden />}
          onClick={() => void copy()}
        >
          {t('general.copy')}
        </Button>
      )}
      {/* A keyboard must be able to scroll what is wider than the page. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="record-raw mono" tabIndex={0}>
        <CutText text={text} query={query} limit={6000} />
      </pre>
    </div>
  )
}
