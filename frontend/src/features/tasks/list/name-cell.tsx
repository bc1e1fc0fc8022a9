/** The name of a run: opens it, and can be changed in place. */
import { EditOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Input, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { rememberTask, updateTask, type Task } from '../api'
import { ROW_LINK } from '@/components/use-list-keys'
import { paths } from '@/app/paths'
import { useShowError } from '@/components/use-show-error'

export function NameCell({ task }: { task: Task }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const showError = useShowError()
  const [typed, setTyped] = useState<string | null>(null)

  function save(): void {
    const name = typed?.trim()
    setTyped(null)
    if (!name || name === task.name) return
    updateTask(task.id, { name }).then((answer) => rememberTask(queries, answer), showError)
  }

  if (typed !== null) {
    return (
      <Input
        autoFocus
        size="small"
        maxLength={200}
        value={typed}
        aria-label={`${t('tasks.actions.rename')}: ${task.name}`}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={save}
        onKeyDown={({ key, nativeEvent }) => {
          if (key === 'Escape') setTyped(null)
          // While an input method composes, Enter chooses a character.
          if (key === 'Enter' && !nativeEvent.isComposing) save()
        }}
      />
    )
  }
  return (
    <Flex gap={4} align="flex-start" style={{ minWidth: 160 }}>
      <Link to={paths.task(task.id)} style={{ overflowWrap: 'anywhere' }} {...{ [ROW_LINK]: '' }}>
        {task.name}
      </Link>
      <Tooltip title={t('tasks.actions.rename')}>
        <Button
          type="text"
          size="small"
          className="row-rename"
          icon={<EditOutlined />}
          aria-label={`${t('tasks.actions.rename')}: ${task.name}`}
          onClick={() => setTyped(task.name)}
        />
      </Tooltip>
    </Flex>
  )
}
