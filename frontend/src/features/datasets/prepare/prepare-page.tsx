/** Preparing a data set: steps that are put together, with what they make of the rows in view. */
import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Dropdown } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { datasetQuery } from '../api'
import { useShownVersion } from '../versions/use-shown-version'
import { lackOf } from './check-steps'
import { FinishForm } from './finish-form'
import { PreparedRows } from './prepared-rows'
import { PreviewPanel } from './preview-panel'
import { refusedStep } from './request'
import { StepCard } from './step-card'
import { STEP_KINDS } from './steps'
import { useExtraColumns } from './use-extra-columns'
import { usePreview } from './use-preview'
import { knownSteps, useStepList } from './use-step-list'
import type { Schemas } from '@/api/client'
import { errorSentence } from '@/api/errors'
import { paths } from '@/app/paths'
import { DelayedSkeleton } from '@/components/delayed-skeleton'
import { ErrorPanel } from '@/components/error-panel'
import { PageFailure } from '@/components/page-failure'
import { PageHeader } from '@/components/page-header'
import '../view/view.css'
import '../view/rows.css'
import './prepare.css'

export function PreparePage() {
  const { t } = useTranslation()
  const { datasetId = '' } = useParams()
  const { data, error, refetch } = useQuery(datasetQuery(datasetId))
  if (data) return <Loaded key={datasetId} current={data} />
  const list = { label: t('datasets.title'), to: paths.datasets }
  if (error) return <PageFailure error={error} list={list} onRetry={() => void refetch()} />
  return <DelayedSkeleton />
}

function Loaded({ current }: { current: Schemas['Dataset'] }) {
  const shown = useShownVersion(current)
  if (shown.pending) return <DelayedSkeleton />
  return <Editor current={current} dataset={shown.dataset} />
}

interface EditorProps {
  /** The data set as it is now. */
  current: Schemas['Dataset']
  /** As it is in the version that the steps begin with. */
  dataset: Schemas['Dataset']
}

function Editor({ current, dataset }: EditorProps) {
  const { t } = useTranslation()
  const { id, name, version, status } = dataset
  const { items, dispatch } = useStepList(id, knownSteps(current.preparation?.steps))
  const [refusal, setRefusal] = useState<unknown>(null)
  const columns = useExtraColumns(dataset)
  const steps = items.map(({ step }) => step)
  const outlook = usePreview(id, version, steps)
  const running = current.preparation?.status === 'running'
  const held =
    status !== 'ready'
      ? t('datasets.prepare.notReady')
      : running
        ? t('datasets.versions.busy')
        : items.length === 0
          ? t('datasets.prepare.addFirst')
          : steps.some((step) => lackOf(step) !== null)
            ? t('datasets.prepare.complete')
            : ''
  const problem = refusal ?? outlook.error
  const wrong = problem ? refusedStep(problem) : null
  const edit = (action: Parameters<typeof dispatch>[0]) => {
    setRefusal(null)
    dispatch(action)
  }

  return (
    <>
      <PageHeader
        title={t('datasets.prepare.title', { name })}
        trail={[
          { label: t('datasets.title'), to: paths.datasets },
          { label: name, to: paths.dataset(id) },
        ]}
        purpose={t('datasets.prepare.purpose')}
      />
      <div className="prepare">
        <div>
          <p className="numeric">
            {t('datasets.prepare.from', { version })} · {t('datasets.rowCount', { count: dataset.num_rows ?? 0 })}
          </p>
          <ol className="step-list">
            {items.map(({ key, step }, at) => (
              <StepCard
                key={key}
                number={at + 1}
                count={items.length}
                step={step}
                dataset={dataset}
                columns={columns}
                rowsIn={outlook.data?.steps[at]?.rows_in ?? outlook.data?.steps[at - 1]?.rows_out ?? (at === 0 ? dataset.num_rows : null)}
                outlook={outlook.busy ? undefined : outlook.data?.steps[at]}
                refusal={wrong === at ? errorSentence(t, problem) : undefined}
                onChange={(next) => edit({ type: 'change', key, step: next })}
                onMove={(by) => edit({ type: 'move', key, by })}
                onRemove={() => edit({ type: 'remove', key })}
              />
            ))}
          </ol>
          <Dropdown
            trigger={['click']}
            menu={{
              items: STEP_KINDS.map((kind) => ({
                key: kind,
                label: (
                  <div className="step-choice">
                    <div>{t(`datasets.prepare.kinds.${kind}`)}</div>
                    <div className="secondary">{t(`datasets.prepare.kindHelp.${kind}`)}</div>
                  </div>
                ),
              })),
              onClick: ({ key }) => {
                const kind = STEP_KINDS.find((each) => each === key)
                if (kind) edit({ type: 'add', kind })
              },
            }}
          >
            <Button icon={<PlusOutlined aria-hidden />} disabled={items.length >= 20}>
              {t('datasets.prepare.addStep')}
            </Button>
          </Dropdown>
        </div>
        <aside className="prepare-panel" aria-label={t('datasets.prepare.outlook')}>
          <h2 className="plain-heading step-title">{t('datasets.prepare.outlook')}</h2>
          <PreviewPanel outlook={outlook} steps={items.length} />
          {refusal !== null && wrong === null && <ErrorPanel error={refusal} />}
          <FinishForm dataset={current} version={version} steps={steps} held={held} onRefused={setRefusal} />
          {outlook.data && <PreparedRows preview={outlook.data} />}
        </aside>
      </div>
    </>
  )
}
