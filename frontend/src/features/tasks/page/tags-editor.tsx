/** The tags of a run: each leads to the runs that share it, and they can be changed in place. */
import { EditOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Select, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { choicesQuery, rememberTask, updateTask, type Task } from '../api'
import { paths, withQuery } from '@/app/paths'
import { useShowError } from '@/components/use-show-error'

const MOST_CHARACTERS = 50

export function TagsEditor({ task }: { task: Task }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const showError = useShowError()
  const [edited, setEdited] = useState<string[] | null>(null)
  const { data: choices } = useQuery({ ...choicesQuery(), enabled: edited !== null })

  async function save(tags: string[]): Promise<void> {
    setEdited(null)
    if (tags.join() === task.tags.join()) return
    await updateTask(task.id, { tags }).then((answer) => rememberTask(client, answer), showError)
    void client.invalidateQueries({ queryKey: choicesQuery().queryKey })
  }

  if (edited) {
    return (
      <Select
        mode="tags"
        autoFocus
        defaultOpen
        size="small"
        value={edited}
        onChange={(next: string[]) =>
          setEdited(next.map((tag) => tag.trim().slice(0, MOST_CHARACTERS)).filter(Boolean))
        }
        onBlur={() => void save(edited)}
        tokenSeparators={[',']}
        maxCount={20}
        aria-label={t('tasks.columns.tags')}
        style={{ width: '100%', minWidth: 160 }}
        options={(choices?.tags ?? []).map((value) => ({ value, label: value }))}
      />
    )
  }
  return (
    <Flex gap={4} wrap align="center">
      {task.tags.map((tag) => (
        <Link key={tag} to={withQuery(paths.tasks, { tag })}>
          <Tag>{tag}</Tag>
        </Link>
      ))}
      <Button
        type="text"
        size="small"
        icon={<EditOutlined />}
        aria-label={task.tags.length > 0 ? t('tasks.tags.edit') : undefined}
        onClick={() => setEdited([...task.tags])}
      >
        {task.tags.length === 0 && t('tasks.tags.add')}
      </Button>
    </Flex>
  )
}
