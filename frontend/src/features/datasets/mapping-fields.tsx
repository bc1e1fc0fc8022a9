/** The columns of a mapping, and what turns and labels are called, where that is not as usual. */
import { Collapse, Flex, Form, Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { PARTS, TAGS, type MappableType, type Part, type Tag } from './mapping-parts'
import { cellText } from './view/record-text'

interface Props {
  type: MappableType
  columns: readonly string[]
  chosen: Partial<Record<Part, string>>
  sample: Record<string, unknown> | undefined
  /** Columns that are a class each, in place of a label. */
  classes: readonly string[]
}

export function MappingColumns({ type, columns, chosen, sample, classes }: Props) {
  const { t } = useTranslation()
  const parts = PARTS[type].filter(
    ({ part, unless }) =>
      !(unless && chosen[unless]) && !(part === 'label' && classes.length > 0),
  )
  return parts.map(({ part, required }) => (
    <Form.Item
      key={`${type}-${part}`}
      name={['columns', part]}
      label={t(`datasets.mapping.parts.${part}`)}
      required={required}
      rules={[{ required, message: t('datasets.mapping.needed') }]}
    >
      <Select
        allowClear
        showSearch
        placeholder={t('datasets.mapping.column')}
        options={columns.map((column) => ({ value: column, label: column }))}
        optionRender={({ value }) => (
          <ColumnOption name={String(value)} sample={sample?.[String(value)]} />
        )}
      />
    </Form.Item>
  ))
}

/** Several columns that say 0 or 1 of a class each. */
export function MappingClasses({ columns }: { columns: readonly string[] }) {
  const { t } = useTranslation()
  return (
    <Form.Item
      name="label_columns"
      label={t('datasets.mapping.classes')}
      extra={t('datasets.mapping.classesHelp')}
    >
      <Select
        mode="multiple"
        allowClear
        placeholder={t('datasets.mapping.columns')}
        options={columns.map((column) => ({ value: column, label: column }))}
      />
    </Form.Item>
  )
}

/** A column with a value of the first row: the name alone often does not tell. */
function ColumnOption({ name, sample }: { name: string; sample: unknown }) {
  return (
    <Flex justify="space-between" gap={16}>
      <span>{name}</span>
      <span
        className="secondary"
        style={{ overflow: 'hidden', textOverflow: 'ellipsis', maxWidth: 320 }}
      >
        {sample === undefined ? '' : cellText(sample).slice(0, 80)}
      </span>
    </Flex>
  )
}

/** What the usual names are, as a hint in an empty field. */
const USUAL_TAGS: Record<Tag, string> = {
  role: 'role, from',
  content: 'content, value',
  user: 'user, human',
  assistant: 'assistant, gpt, model',
  observation: 'tool, observation',
  function_call: 'function_call, tool_call',
  system: 'system, developer',
}

export function MappingTags({ open }: { open: boolean }) {
  const { t } = useTranslation()
  const fields = TAGS.map((tag) => (
    <Form.Item
      key={tag}
      name={['tags', tag]}
      label={t(`datasets.mapping.tags.${tag}`)}
      style={{ marginBottom: 12 }}
    >
      <Input maxLength={200} placeholder={USUAL_TAGS[tag]} />
    </Form.Item>
  ))
  return (
    <Collapse
      size="small"
      style={{ marginBottom: 24 }}
      defaultActiveKey={open ? ['tags'] : []}
      items={[
        {
          key: 'tags',
          label: t('datasets.mapping.tagsTitle'),
          forceRender: true,
          children: fields,
        },
      ]}
    />
  )
}
