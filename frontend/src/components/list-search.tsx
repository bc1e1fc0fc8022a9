/** The search field above a list; what is searched for stands in the address. */
import { Input } from 'antd'
import { useEffect, useRef, useState } from 'react'

interface Props {
  q: string
  label: string
  onSearch: (q: string) => void
}

const PAUSE_MS = 300

/** Searches when the typing pauses, and at once with Enter. */
export function ListSearch({ q, label, onSearch }: Props) {
  const [text, setText] = useState(q)
  const [seen, setSeen] = useState(q)
  const [sent, setSent] = useState(q)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  if (q !== seen) {
    setSeen(q)
    // An address opened from elsewhere, and the way back, change the field too.
    if (q !== sent) {
      setSent(q)
      setText(q)
    }
  }
  useEffect(() => () => clearTimeout(timer.current), [])

  function search(wanted: string): void {
    clearTimeout(timer.current)
    if (wanted.trim() === q) return
    setSent(wanted.trim())
    onSearch(wanted.trim())
  }

  function later(wanted: string): void {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => search(wanted), PAUSE_MS)
  }

  return (
    <Input.Search
      allowClear
      type="search"
      value={text}
      onChange={({ target, nativeEvent }) => {
        setText(target.value)
        // What an input method composes is not yet what is meant.
        if (!(nativeEvent as InputEvent).isComposing) later(target.value)
      }}
      onCompositionEnd={({ currentTarget }) => later(currentTarget.value)}
      onSearch={search}
      placeholder={label}
      aria-label={label}
      style={{ maxWidth: 320 }}
    />
  )
}
