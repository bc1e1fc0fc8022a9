/** The run at a glance: the curve, and what was trained on what. */
import { Col, Descriptions, Row } from 'antd'
import { useTranslation } from 'react-i18next'
import { type Task } from '../api'
import { intentName } from '../intents'
import { LossChart } from '../chart/loss-chart'
import { DatasetLink } from './dataset-link'
import { MemorySides, TimeSides, useResultText } from './expectation'
import { ParentDifferences } from './parent-differences'
import { TagsEditor } from './tags-editor'
import { RelativeTime } from '@/components/relative-time'
import { useFormat } from '@/i18n/format'

export function SummaryTab({ task }: { task: Task }) {
  const { t } = useTranslation()
  const format = useFormat()
  const text = (value: string) => value || '–'
  const validation = task.validation_dataset
  const result = useResultText(task)
  return (
    <Row gutter={[24, 16]}>
      <Col xs={24} lg={16}>
        <LossChart task={task} />
        <ParentDifferences task={task} />
      </Col>
      <Col xs={24} lg={8}>
        <Descriptions
          size="small"
          column={1}
          bordered
          classNames={{ label: 'fact-label' }}
          items={[
            { key: 'model', label: t('tasks.fields.model'), children: task.model.name },
            {
              key: 'dataset',
              label: t('tasks.fields.dataset'),
              children: <DatasetLink dataset={task.dataset} />,
            },
            ...(validation
              ? [
                  {
                    key: 'validation',
                    label: t('tasks.fields.validation'),
                    children: <DatasetLink dataset={validation} />,
                  },
                ]
              : []),
            { key: 'objective', label: t('tasks.fields.objective'), children: t(`tasks.objectives.${task.objective}`) },
            { key: 'method', label: t('tasks.fields.method'), children: t(`tasks.methods.${task.method}`) },
            ...(result ? [{ key: 'result', label: t('tasks.summary.result'), children: result }] : []),
            { key: 'memory', label: t('tasks.summary.memory'), children: <MemorySides task={task} /> },
            { key: 'time', label: t('tasks.summary.time'), children: <TimeSides task={task} /> },
            { key: 'intent', label: t('tasks.fields.intent'), children: intentName(t, task.intent) },
            { key: 'output', label: t('tasks.fields.outputName'), children: <span className="mono">{task.output_name}</span> },
            { key: 'rows', label: t('tasks.fields.rows'), children: format.number(task.estimate?.num_rows) },
            { key: 'attempt', label: t('tasks.fields.attempt'), children: task.attempt },
            ...(task.priority && task.priority !== 'normal'
              ? [{ key: 'priority', label: t('tasks.priority.title'), children: t(`tasks.priority.${task.priority}`) }]
              : []),
            ...(task.automatic_retries
              ? [
                  {
                    key: 'retries',
                    label: t('tasks.retry.setting'),
                    children: t('tasks.retry.used', { used: task.retries ?? 0, most: task.automatic_retries }),
                  },
                ]
              : []),
            { key: 'created', label: t('general.created'), children: <RelativeTime at={task.created_at} /> },
            { key: 'tags', label: t('tasks.columns.tags'), children: <TagsEditor task={task} /> },
            { key: 'owner', label: t('tasks.fields.owner'), children: task.owner },
            { key: 'description', label: t('tasks.fields.description'), children: text(task.description) },
          ]}
        />
      </Col>
    </Row>
  )
}
