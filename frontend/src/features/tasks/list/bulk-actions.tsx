/** What can be done with the runs that are chosen: compare, tag, stop, delete. */
import { Button, Flex } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isLive, type Task } from '../api'
import { BulkDialog, type Bulk } from './bulk-dialog'
import { MAX_COMPARED } from '../compare/runs'
import { paths, withQuery } from '@/app/paths'
import { LinkButton } from '@/components/link-button'

interface Props {
  tasks: Task[]
  onDone: () => void
}

export function BulkActions({ tasks, onDone }: Props) {
  const { t } = useTranslation()
  const [asked, setAsked] = useState<{ what: Bulk; tasks: Task[] } | null>(null)
  const live = tasks.filter(isLive)
  const ended = tasks.filter((task) => !isLive(task))
  const ids = tasks.map(({ id }) => id)
  const fits = ids.length >= 2 && ids.length <= MAX_COMPARED
  return (
    <Flex gap={8} align="center" wrap style={{ marginBottom: 8 }} role="toolbar" aria-label={t('tasks.bulk.title')}>
      <span className="secondary" role="status">
        {t('tasks.bulk.selected', { count: tasks.length })}
      </span>
      <LinkButton
        type="primary"
        disabled={!fits}
        title={fits ? undefined : t('tasks.bulk.compareHow', { most: MAX_COMPARED })}
        to={withQuery(paths.compareTasks, { ids: ids.join() })}
      >
        {t('tasks.compare.action')}
      </LinkButton>
      <Button onClick={() => setAsked({ what: 'tag', tasks })}>{t('tasks.bulk.tag')}</Button>
      {live.length > 0 && (
        <Button onClick={() => setAsked({ what: 'stop', tasks: live })}>{t('tasks.bulk.stop')}</Button>
      )}
      {ended.length > 0 && (
        <Button danger onClick={() => setAsked({ what: 'delete', tasks: ended })}>
          {t('tasks.bulk.delete')}
        </Button>
      )}
      <Button type="text" onClick={onDone}>
        {t('tasks.bulk.none')}
      </Button>
      {asked && (
        <BulkDialog
          {...asked}
          onClose={(done) => {
            setAsked(null)
            if (done) onDone()
          }}
        />
      )}
    </Flex>
  )
}
