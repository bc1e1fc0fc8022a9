/** The state of a thing: icon, word and colour together, never colour alone. */
import {
  CheckCircleFilled,
  ClockCircleOutlined,
  CloseCircleFilled,
  ExclamationCircleFilled,
  LoadingOutlined,
  PauseCircleFilled,
} from '@ant-design/icons'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '@/api/client'

type Tone = 'waiting' | 'active' | 'good' | 'bad' | 'attention'

const COLOUR: Record<Tone, string> = {
  waiting: 'var(--ant-color-text-secondary)',
  active: 'var(--ant-color-primary)',
  good: 'var(--ant-color-success)',
  bad: 'var(--ant-color-error)',
  attention: 'var(--ant-color-warning)',
}

type Look = readonly [Tone, ReactNode]

const JOB: Record<Schemas['JobStatus'], Look> = {
  PENDING: ['waiting', <ClockCircleOutlined key="icon" />],
  PREPARING: ['active', <LoadingOutlined key="icon" />],
  RUNNING: ['active', <LoadingOutlined key="icon" />],
  STOPPING: ['attention', <LoadingOutlined key="icon" />],
  COMPLETED: ['good', <CheckCircleFilled key="icon" />],
  FAILED: ['bad', <CloseCircleFilled key="icon" />],
  STOPPED: ['attention', <PauseCircleFilled key="icon" />],
}

const DATASET: Record<Schemas['DatasetStatus'], Look> = {
  importing: ['active', <LoadingOutlined key="icon" />],
  ready: ['good', <CheckCircleFilled key="icon" />],
  blocked: ['attention', <ExclamationCircleFilled key="icon" />],
  needs_mapping: ['attention', <ExclamationCircleFilled key="icon" />],
  failed: ['bad', <CloseCircleFilled key="icon" />],
}

const MODEL: Record<Schemas['ModelStatus'], Look> = {
  downloading: ['active', <LoadingOutlined key="icon" />],
  converting: ['active', <LoadingOutlined key="icon" />],
  ready: ['good', <CheckCircleFilled key="icon" />],
  failed: ['bad', <CloseCircleFilled key="icon" />],
}

function Tagged({ look: [tone, icon], children }: { look: Look; children: ReactNode }) {
  return (
    <span className="nowrap" style={{ color: COLOUR[tone] }}>
      <span aria-hidden style={{ marginInlineEnd: 6 }}>
        {icon}
      </span>
      {children}
    </span>
  )
}

export function JobStatusTag({ status }: { status: Schemas['JobStatus'] }) {
  const { t } = useTranslation()
  return <Tagged look={JOB[status]}>{t(`status.job.${status}`)}</Tagged>
}

export function DatasetStatusTag({ status }: { status: Schemas['DatasetStatus'] }) {
  const { t } = useTranslation()
  return <Tagged look={DATASET[status]}>{t(`status.dataset.${status}`)}</Tagged>
}

export function ModelStatusTag({ status }: { status: Schemas['ModelStatus'] }) {
  const { t } = useTranslation()
  return <Tagged look={MODEL[status]}>{t(`status.model.${status}`)}</Tagged>
}
