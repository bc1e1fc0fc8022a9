/** Changes that are made to every row, one after the other. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Flex, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { ChangeForm } from './change-form'
import { CHANGE_KINDS, newChange } from './change-specs'
import { changeName } from '../step-text'
import type { StepOf } from '../steps'

interface Props {
  step: StepOf<'map'>
  columns: readonly string[]
  onChange: (step: StepOf<'map'>) => void
}

export function MapFields({ step, columns, onChange }: Props) {
  const { t } = useTranslation()
  const { changes } = step
  const set = (next: typeof changes) => onChange({ ...step, changes: next })
  return (
    <>
      {changes.map((change, at) => (
        <div key={at} className="change">
          <Flex gap={8}>
            <Select
              value={change.kind}
              onChange={(kind) => set(changes.map((each, n) => (n === at ? newChange(kind) : each)))}
              aria-label={t('datasets.prepare.change')}
              options={CHANGE_KINDS.map((value) => ({ value, label: changeName(t, value) }))}
              style={{ flex: 1, minWidth: 0 }}
            />
            {changes.length > 1 && (
              <Button
                type="text"
                icon={<DeleteOutlined />}
                aria-label={t('datasets.prepare.removeChange')}
                onClick={() => set(changes.filter((_, n) => n !== at))}
              />
            )}
          </Flex>
          <div className="secondary step-help">{t(`datasets.prepare.changeHelp.${change.kind}`)}</div>
          <ChangeForm
            change={change}
            columns={columns}
            onChange={(next) => set(changes.map((each, n) => (n === at ? next : each)))}
          />
        </div>
      ))}
      <Button
        size="small"
        icon={<PlusOutlined aria-hidden />}
        onClick={() => set([...changes, { kind: 'trim' }])}
        style={{ alignSelf: 'flex-start' }}
      >
        {t('datasets.prepare.addChange')}
      </Button>
    </>
  )
}
