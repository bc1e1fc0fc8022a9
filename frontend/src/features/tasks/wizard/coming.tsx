/** What can not be chosen yet but is on its way, so that nobody wonders where it is. */
import { LoadingOutlined } from '@ant-design/icons'
import { useTranslation } from 'react-i18next'
import { useFormat } from '@/i18n/format'

interface Item {
  id: string
  name: string
  status: string
  progress: number | null
}

const MOVING = ['importing', 'downloading', 'converting']

export function Coming({ items }: { items: readonly Item[] | undefined }) {
  const { t } = useTranslation()
  const format = useFormat()
  if (!items || items.some(({ status }) => status === 'ready')) return null
  const next = items.find(({ status }) => MOVING.includes(status))
  if (!next) return null
  return (
    <p role="status" className="secondary">
      <LoadingOutlined aria-hidden /> {t('wizard.sources.coming', { name: next.name })}
      {next.progress !== null && ` ${format.percent(next.progress)}`}
    </p>
  )
}
