/** Named views of the list: go to one, keep the present one, rename, replace, delete. Kept on the server. */
import { DeleteOutlined, EditOutlined, ProfileOutlined, SaveOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Flex, Form, Input, Popover, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { viewQuery } from './list-view'
import { createView, deleteView, saveView, viewsQuery, type ListView } from './views-api'
import { errorSentence } from '@/api/errors'
import { paths } from '@/app/paths'
import { useShowError } from '@/components/use-show-error'

const addressOf = (query: string) => (query ? `${paths.tasks}?${query}` : paths.tasks)

function NameForm({ initial, onSave }: { initial: string; onSave: (name: string) => Promise<unknown> }) {
  const { t } = useTranslation()
  const [form] = Form.useForm<{ name: string }>()
  const [busy, setBusy] = useState(false)
  async function finish({ name }: { name: string }): Promise<void> {
    setBusy(true)
    try {
      await onSave(name.trim())
      form.resetFields()
    } catch (error) {
      form.setFields([{ name: 'name', errors: [errorSentence(t, error)] }])
    } finally {
      setBusy(false)
    }
  }
  return (
    <Form form={form} layout="inline" initialValues={{ name: initial }} onFinish={(values) => void finish(values)}>
      <Form.Item
        name="name"
        rules={[{ required: true, whitespace: true, message: t('tasks.views.nameNeeded') }]}
        style={{ flex: 1, marginInlineEnd: 8 }}
      >
        <Input size="small" maxLength={100} placeholder={t('tasks.views.name')} aria-label={t('tasks.views.name')} />
      </Form.Item>
      <Button size="small" htmlType="submit" loading={busy} icon={<SaveOutlined />}>
        {t('general.save')}
      </Button>
    </Form>
  )
}

interface EntryProps {
  view: ListView
  present: string
  onChanged: () => Promise<unknown>
  onGo: () => void
}

function Entry({ view, present, onChanged, onGo }: EntryProps) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const showError = useShowError()
  const [renaming, setRenaming] = useState(false)
  const same = view.query === present
  const change = useMutation({ mutationFn: (act: () => Promise<unknown>) => act().then(onChanged), onError: showError })
  if (renaming) {
    return (
      <NameForm
        initial={view.name}
        onSave={async (name) => {
          await saveView(view.id, { name, query: view.query })
          await onChanged()
          setRenaming(false)
        }}
      />
    )
  }
  return (
    <Flex justify="space-between" align="center" gap={8}>
      <Link to={addressOf(view.query)} onClick={onGo} aria-current={same ? 'true' : undefined} style={{ fontWeight: same ? 600 : 400, overflowWrap: 'anywhere' }}>
        {view.name}
      </Link>
      <span className="nowrap">
        {!same && (
          <Button
            type="text"
            size="small"
            icon={<SaveOutlined />}
            title={t('tasks.views.replace', { name: view.name })}
            aria-label={t('tasks.views.replace', { name: view.name })}
            onClick={() => change.mutate(() => saveView(view.id, { name: view.name, query: present }))}
          />
        )}
        <Button
          type="text"
          size="small"
          icon={<EditOutlined />}
          aria-label={`${t('tasks.actions.rename')}: ${view.name}`}
          onClick={() => setRenaming(true)}
        />
        <Button
          type="text"
          size="small"
          icon={<DeleteOutlined />}
          aria-label={`${t('general.delete')}: ${view.name}`}
          onClick={() =>
            void modal.confirm({
              title: t('tasks.views.deleteTitle', { name: view.name }),
              okText: t('general.delete'),
              okButtonProps: { danger: true },
              cancelText: t('general.cancel'),
              focusable: { autoFocusButton: 'cancel' },
              onOk: () => change.mutateAsync(() => deleteView(view.id)).catch(() => undefined),
            })
          }
        />
      </span>
    </Flex>
  )
}

/** `columns`: those shown, which the address may leave out; a view always names them. */
export function SavedViews({ columns }: { columns: readonly string[] }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { search } = useLocation()
  const [open, setOpen] = useState(false)
  const { data: views = [] } = useQuery(viewsQuery())
  const shown = new URLSearchParams(search)
  shown.set('columns', columns.join())
  const present = viewQuery(shown.toString())
  const current = views.find(({ query }) => query === present)
  const refresh = () => client.invalidateQueries({ queryKey: viewsQuery().queryKey })
  return (
    <Popover
      trigger="click"
      placement="bottomLeft"
      open={open}
      onOpenChange={setOpen}
      destroyOnHidden
      content={
        <Flex vertical gap={8} style={{ width: 300 }}>
          {views.length === 0 && <span className="secondary">{t('tasks.views.none')}</span>}
          {views.map((view) => (
            <Entry key={view.id} view={view} present={present} onChanged={refresh} onGo={() => setOpen(false)} />
          ))}
          <Link to={paths.tasks} onClick={() => setOpen(false)}>
            {t('tasks.views.everything')}
          </Link>
          <Typography.Text strong>{t('tasks.views.keep')}</Typography.Text>
          <NameForm
            initial=""
            onSave={(name) => createView({ name, query: present }).then(refresh)}
          />
        </Flex>
      }
    >
      <Button icon={<ProfileOutlined />}>{current?.name ?? t('tasks.views.title')}</Button>
    </Popover>
  )
}
