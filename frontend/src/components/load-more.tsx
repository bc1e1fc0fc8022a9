/** The rest of a list that came in pages. */
import { Button, Flex } from 'antd'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

interface Props {
  /** An infinite query. */
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
  /** A remark beside the button. */
  children?: ReactNode
}

/** The button that had the focus is gone: what stands in its place takes it. */
const takeLostFocus = (place: HTMLElement | null) => {
  if (document.activeElement === document.body) place?.focus({ preventScroll: true })
}

export function LoadMore({ list, children }: Props) {
  const { t } = useTranslation()
  const [asked, setAsked] = useState(false)
  if (!list.hasNextPage) {
    if (!asked) return null
    return (
      <p ref={takeLostFocus} tabIndex={-1} role="status" className="secondary list-end">
        {t('general.allShown')}
      </p>
    )
  }
  return (
    <Flex justify="center" align="center" gap={12} style={{ marginTop: 12 }}>
      {children}
      <Button
        loading={list.isFetchingNextPage}
        onClick={() => {
          setAsked(true)
          void list.fetchNextPage()
        }}
      >
        {t('general.loadMore')}
      </Button>
    </Flex>
  )
}
