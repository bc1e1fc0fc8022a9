/** A link that looks like a button: one element, opens in a new tab like any link. */
import { Button, type ButtonProps } from 'antd'
import type { MouseEvent } from 'react'
import { useHref, useLinkClickHandler } from 'react-router'

interface Props extends Omit<ButtonProps, 'href' | 'onClick' | 'htmlType'> {
  to: string
  onClick?: () => void
}

export function LinkButton({ to, onClick, ...rest }: Props) {
  const href = useHref(to)
  const follow = useLinkClickHandler<HTMLAnchorElement>(to)
  // A link can not be switched off; a button can, and says so.
  if (rest.disabled) return <Button {...rest} />
  return (
    <Button
      {...rest}
      href={href}
      onClick={(event) => {
        onClick?.()
        follow(event as unknown as MouseEvent<HTMLAnchorElement>)
      }}
    />
  )
}
