/** A labelled control of a step: the label above, the help below. */
import { useId, type ReactNode } from 'react'

interface Props {
  label: string
  help?: string
  children: (id: string) => ReactNode
}

export function FieldRow({ label, help, children }: Props) {
  const id = useId()
  return (
    <div className="step-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {help && <div className="secondary step-help">{help}</div>}
    </div>
  )
}
