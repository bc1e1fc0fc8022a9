/** Search and filters of the list; what narrows it down stands below, each with a way out. */
import { FilterOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Badge, Button, Flex, Popover, Select, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { choicesQuery, type Task } from '../api'
import { FILTERS, valuesOf, type FilterName, type ListState } from './list-view'
import { ListSearch } from '@/components/list-search'

const STATUSES = [
  'PENDING',
  'PREPARING',
  'RUNNING',
  'STOPPING',
  'COMPLETED',
  'FAILED',
  'STOPPED',
] as const satisfies readonly Task['status'][]
const METHODS = ['lora', 'qlora', 'freeze', 'full'] as const satisfies readonly Task['method'][]
const OBJECTIVES = [
  'sft', 'pretrain', 'classify', 'seq2seq', 'dpo', 'ipo', 'orpo', 'simpo', 'cpo', 'kto', 'reward',
] as const satisfies readonly Task['objective'][] // prettier-ignore

interface Option {
  value: string
  label: string
}

/** What each filter offers, in the words of the page. */
function useOptions(): Record<FilterName, Option[]> {
  const { t } = useTranslation()
  const { data } = useQuery(choicesQuery())
  const same = (value: string) => ({ value, label: value })
  const named = ({ id, name }: { id: string; name: string }) => ({ value: id, label: name })
  return {
    status: STATUSES.map((value) => ({ value, label: t(`status.job.${value}`) })),
    method: METHODS.map((value) => ({ value, label: t(`tasks.methods.${value}`) })),
    objective: OBJECTIVES.map((value) => ({ value, label: t(`tasks.objectives.${value}`) })),
    model: (data?.models ?? []).map(named),
    dataset: (data?.datasets ?? []).map(named),
    owner: (data?.owners ?? []).map(same),
    tag: (data?.tags ?? []).map(same),
  }
}

function useNames(): Record<FilterName, string> {
  const { t } = useTranslation()
  return {
    status: t('general.status'),
    method: t('tasks.fields.method'),
    objective: t('tasks.fields.objective'),
    model: t('tasks.fields.model'),
    dataset: t('tasks.fields.dataset'),
    owner: t('tasks.fields.owner'),
    tag: t('tasks.columns.tags'),
  }
}

interface Props {
  state: ListState
  onChange: (next: Partial<ListState>) => void
}

export function TaskFilters({ state, onChange }: Props) {
  const { t } = useTranslation()
  const options = useOptions()
  const names = useNames()
  const field = (name: FilterName) => (
    <Select
      key={name}
      mode="multiple"
      allowClear
      maxTagCount="responsive"
      value={valuesOf(state[name])}
      onChange={(next: string[]) => onChange({ [name]: next.join() })}
      placeholder={name === 'status' ? t('tasks.anyStatus') : names[name]}
      aria-label={names[name]}
      optionFilterProp="label"
      notFoundContent={t('general.none')}
      style={{ width: 260 }}
      options={options[name]}
    />
  )
  const more = FILTERS.filter((name) => name !== 'status')
  const used = more.filter((name) => state[name] !== '').length
  return (
    <>
      <ListSearch q={state.q} label={t('tasks.search')} onSearch={(q) => onChange({ q })} />
      {field('status')}
      <Popover
        trigger="click"
        placement="bottomLeft"
        content={
          <Flex vertical gap={8}>
            {more.map(field)}
          </Flex>
        }
      >
        <Badge count={used} size="small" color="var(--ant-color-primary)">
          <Button icon={<FilterOutlined />}>{t('tasks.filters.more')}</Button>
        </Badge>
      </Popover>
    </>
  )
}

/** The filters in force as chips, each can be taken away; nothing without one. */
export function FilterChips({ state, onChange }: Props) {
  const { t } = useTranslation()
  const options = useOptions()
  const names = useNames()
  const chips = FILTERS.filter((name) => name !== 'status').flatMap((name) =>
    valuesOf(state[name]).map((value) => ({ name, value })),
  )
  if (chips.length === 0) return null
  const without = (name: FilterName, value: string) =>
    onChange({ [name]: valuesOf(state[name]).filter((each) => each !== value).join() })
  return (
    <Flex gap={4} wrap align="center" style={{ marginBottom: 8 }}>
      {chips.map(({ name, value }) => (
        <Tag
          key={`${name} ${value}`}
          closable={{ 'aria-label': t('tasks.filters.remove', { name: names[name] }) }}
          onClose={() => without(name, value)}
        >
          {names[name]}: {options[name].find((each) => each.value === value)?.label ?? value}
        </Tag>
      ))}
      <Button
        size="small"
        type="text"
        onClick={() => onChange(Object.fromEntries(FILTERS.map((name) => [name, ''])))}
      >
        {t('tasks.filters.clear')}
      </Button>
    </Flex>
  )
}
