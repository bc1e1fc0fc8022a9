/** The search field above a list; what is searched for stands in the address. */
import { Input } from 'antd'

interface Props {
  q: string
  label: string
  onSearch: (q: string) => void
}

export function ListSearch({ q, label, onSearch }: Props) {
  return (
    <Input.Search
      key={q} // an address opened from elsewhere, and the way back, change the field too
      allowClear
      type="search"
      defaultValue={q}
      onSearch={(text) => onSearch(text.trim())}
      placeholder={label}
      aria-label={label}
      style={{ maxWidth: 320 }}
    />
  )
}
