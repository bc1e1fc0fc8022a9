/** The rest of a list that came in pages. */
import { Button, Flex } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

interface Props {
  /** An infinite query. */
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
  /** A remark beside the button. */
  children?: ReactNode
}

export function LoadMore({ list, children }: Props) {
  const { t } = useTranslation()
  if (!list.hasNextPage) return null
  return (
    <Flex justify="center" align="center" gap={12} style={{ marginTop: 12 }}>
      {children}
      <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
        {t('general.loadMore')}
      </Button>
    </Flex>
  )
}
