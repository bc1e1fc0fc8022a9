/**
 * Asks before something is deleted: names the object and the consequences, focus on Cancel; for
 * what is in use the name has to be typed.
 */
import { App, Flex, Form, Input, type InputRef } from 'antd'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ErrorPanel } from './error-panel'

interface Question {
  /** The kind of thing, in the user's words: `data set`. */
  what: string
  name: string
  consequences: string
  typeToConfirm?: boolean
  onConfirm: () => Promise<unknown>
}

interface BodyProps extends Pick<Question, 'name' | 'consequences' | 'typeToConfirm'> {
  error?: unknown
  onTyped: (matches: boolean) => void
}

function Body({ name, consequences, typeToConfirm, error, onTyped }: BodyProps) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState('')
  const field = useRef<InputRef>(null)
  return (
    <Flex vertical gap={12}>
      <span>{consequences}</span>
      {typeToConfirm && (
        <Form layout="vertical" component={false}>
          <Form.Item label={t('general.confirmDelete.typeToConfirm')} style={{ margin: 0 }}>
            <Input
              ref={field}
              aria-label={t('general.confirmDelete.typeToConfirm')}
              placeholder={name}
              value={typed}
              onChange={(event) => {
                setTyped(event.target.value)
                onTyped(event.target.value.trim() === name)
              }}
            />
          </Form.Item>
        </Form>
      )}
      {error !== undefined && <ErrorPanel error={error} />}
    </Flex>
  )
}

/** `confirmDelete({ … })` opens the dialog; it stays open and says why when the server refuses. */
export function useConfirmDelete(): (question: Question) => void {
  const { modal } = App.useApp()
  const { t } = useTranslation()
  return ({ what, name, consequences, typeToConfirm = false, onConfirm }) => {
    let error: unknown
    let allowed = !typeToConfirm
    const config = () => ({
      title: t('general.confirmDelete.title', { what, name }),
      content: (
        <Body
          name={name}
          consequences={consequences}
          typeToConfirm={typeToConfirm}
          error={error}
          onTyped={(matches) => {
            allowed = matches
            dialog.update(config())
          }}
        />
      ),
      okText: t('general.confirmDelete.ok'),
      okButtonProps: { danger: true, disabled: !allowed },
      cancelText: t('general.cancel'),
      focusable: { autoFocusButton: 'cancel' as const },
      width: 480,
      onOk: async () => {
        try {
          await onConfirm()
        } catch (caught) {
          error = caught
          dialog.update(config())
          throw caught // keeps the dialog open
        }
      },
    })
    const dialog = modal.confirm(config())
    // A dialog that is awaited leaves a refusal to us instead of throwing it at the window.
    void dialog.then(
      () => undefined,
      () => undefined,
    )
  }
}
