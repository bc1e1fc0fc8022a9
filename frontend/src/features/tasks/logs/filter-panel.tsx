/** Which lines are shown: levels, streams, ranks, a span of time. */
import { FilterOutlined } from '@ant-design/icons'
import { Button, Checkbox, Form, Input, Popover, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { isFiltering, LEVELS, NO_FILTER, STREAMS, type LogFilter } from './log-state'
import { forField, fromField } from './local-time'

const TIGHT = { marginBottom: 8 }

interface Props {
  filter: LogFilter
  onChange: (next: LogFilter) => void
}

export function FilterPanel({ filter, onChange }: Props) {
  const { t } = useTranslation()
  const ranks = (values: (string | number)[]) =>
    [...new Set(values.map(Number).filter((n) => Number.isInteger(n) && n >= 0))].sort((a, b) => a - b)
  const time = (name: 'since' | 'until') => (
    <Form.Item style={TIGHT} label={t(`logs.filter.${name}`)} htmlFor={`log-${name}`}>
      <Input
        id={`log-${name}`}
        type="datetime-local"
        step={1}
        value={forField(filter[name])}
        onChange={({ target }) => onChange({ ...filter, [name]: fromField(target.value) })}
      />
    </Form.Item>
  )
  const content = (
    <Form layout="vertical" size="small" className="log-filter" component="div">
      <Form.Item style={TIGHT} label={t('logs.filter.levels')}>
        <Checkbox.Group
          value={filter.levels}
          options={LEVELS.map((value) => ({ value, label: t(`logs.levels.${value}`) }))}
          onChange={(levels) => onChange({ ...filter, levels })}
        />
      </Form.Item>
      <Form.Item style={TIGHT} label={t('logs.filter.streams')}>
        <Checkbox.Group
          value={filter.streams}
          options={STREAMS.map((value) => ({ value, label: t(`logs.streams.${value}`) }))}
          onChange={(streams) => onChange({ ...filter, streams })}
        />
      </Form.Item>
      <Form.Item style={TIGHT} label={t('logs.filter.ranks')} htmlFor="log-ranks" extra={t('logs.filter.ranksHelp')}>
        <Select
          id="log-ranks"
          mode="tags"
          open={false}
          suffixIcon={null}
          tokenSeparators={[',', ' ']}
          value={filter.ranks}
          onChange={(values: (string | number)[]) => onChange({ ...filter, ranks: ranks(values) })}
        />
      </Form.Item>
      {time('since')}
      {time('until')}
      <Button size="small" disabled={!isFiltering(filter)} onClick={() => onChange(NO_FILTER)}>
        {t('logs.filter.clear')}
      </Button>
    </Form>
  )
  return (
    <Popover trigger="click" placement="bottomLeft" content={content} title={t('logs.filter.title')}>
      <Button icon={<FilterOutlined />} type={isFiltering(filter) ? 'primary' : 'default'} ghost={isFiltering(filter)}>
        {t('logs.filter.title')}
      </Button>
    </Popover>
  )
}
