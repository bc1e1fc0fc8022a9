/** A new version without the rows that have a finding: asks first, with how many there are. */
import { useQueryClient } from '@tanstack/react-query'
import { App } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import type { FindingName } from './api'
import { prepareDataset, previewQuery } from '../prepare/api'
import { findingName } from '../prepare/step-text'
import type { Schemas } from '@/api/client'
import { paths } from '@/app/paths'
import { useShowError } from '@/components/use-show-error'
import { useFormat } from '@/i18n/format'

export function useExclude({ id, version, name }: Schemas['Dataset']): (findings: FindingName[]) => void {
  const { t } = useTranslation()
  const format = useFormat()
  const { modal, message } = App.useApp()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const showError = useShowError()

  async function ask(findings: FindingName[]): Promise<void> {
    const body = { version, steps: [{ kind: 'exclude' as const, findings, rows: [] }] }
    // Rows may have several findings: only the steps themselves tell how many are left.
    const outlook = await queries.fetchQuery(previewQuery(id, body))
    const step = outlook.steps[0]
    const left = step?.rows_out ?? 0
    modal.confirm({
      title: t('datasets.quality.confirmTitle', { name }),
      content: t('datasets.quality.confirm', {
        findings: format.list(findings.map((each) => findingName(t, each))),
        removed: format.number((step?.rows_in ?? 0) - left),
        left: format.number(left),
      }),
      okText: t('datasets.prepare.makeVersion'),
      cancelText: t('general.cancel'),
      okButtonProps: { disabled: left === 0 },
      onOk: async () => {
        try {
          await prepareDataset(id, body)
        } catch (error) {
          showError(error)
          return
        }
        await queries.invalidateQueries({ queryKey: ['datasets'] })
        message.success(t('datasets.prepare.started'))
        void navigate(paths.dataset(id))
      },
    })
  }

  return (findings) => void ask(findings).catch(showError)
}
